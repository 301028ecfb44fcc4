/* Every message counts: none lost, none twice, each sender's in order. */
#include "io/loop.h"
#include "io/mailbox.h"
#include "peer.h"

enum { N_SENDERS = 4, N_EACH = 25000 };

struct message {
	struct list node;
	int sender, n;
};

struct receiver {
	uv_loop_t loop;
	struct mailbox box;
	int n_received, next[N_SENDERS], closed;
	bool out_of_order, echo;
};

struct sender {
	struct receiver *to;
	int id;
	pthread_t thread;
};

static struct message *message_new(int sender, int n)
{
	struct message *m = malloc(sizeof(*m));

	*m = (struct message){.sender = sender, .n = n};
	list_init(&m->node);
	return m;
}

static void on_message(void *arg, struct list *node)
{
	struct receiver *r = arg;
	struct message *m = LIST_ENTRY(node, struct message, node);

	if (r->next[m->sender]++ != m->n)
		r->out_of_order = true;
	r->n_received++;
	if (r->echo && m->n == 0) /* a receiver may send to its own box */
		mailbox_send(&r->box, &message_new(m->sender, 1)->node);
	free(m);
}

static void on_closed(void *arg)
{
	((struct receiver *)arg)->closed++;
}

static void *send_many(void *arg)
{
	struct sender *s = arg;

	for (int i = 0; i < N_EACH; i++)
		mailbox_send(&s->to->box, &message_new(s->id, i)->node);
	return NULL;
}

static void open_receiver(struct receiver *r)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(loop_open(&r->loop), 0);
	assert_int_equal(mailbox_open(&r->box, &r->loop, on_message, r), 0);
}

static void close_receiver(struct receiver *r)
{
	mailbox_close(&r->box, on_closed);
	assert_int_equal(r->closed, 0);
	loop_close(&r->loop, "mailbox test");
	assert_int_equal(r->closed, 1);
}

static void test_messages_of_four_threads_all_arrive_in_order(void **state)
{
	struct sender senders[N_SENDERS];
	struct receiver r;

	(void)state;
	open_receiver(&r);
	for (int i = 0; i < N_SENDERS; i++) {
		senders[i] = (struct sender){.to = &r, .id = i};
		pthread_create(&senders[i].thread, NULL, send_many, &senders[i]);
	}
	assert_true(wait_until(&r.loop, &r.n_received, N_SENDERS * N_EACH));
	for (int i = 0; i < N_SENDERS; i++)
		pthread_join(senders[i].thread, NULL);
	assert_false(r.out_of_order);
	assert_int_equal(r.n_received, N_SENDERS * N_EACH);
	close_receiver(&r);
	assert_int_equal(r.n_received, N_SENDERS * N_EACH);
}

static void test_what_is_left_at_close_is_dispatched(void **state)
{
	struct receiver r;

	(void)state;
	open_receiver(&r);
	for (int i = 0; i < 3; i++)
		mailbox_send(&r.box, &message_new(0, i)->node);
	assert_int_equal(r.n_received, 0);
	close_receiver(&r);
	assert_int_equal(r.n_received, 3);
	assert_false(r.out_of_order);
}

static void test_a_message_sent_while_receiving_is_received(void **state)
{
	struct receiver r;

	(void)state;
	open_receiver(&r);
	r.echo = true;
	mailbox_send(&r.box, &message_new(0, 0)->node);
	mailbox_send(&r.box, &message_new(1, 0)->node);
	close_receiver(&r);
	assert_int_equal(r.n_received, 4);
	assert_false(r.out_of_order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_of_four_threads_all_arrive_in_order),
		cmocka_unit_test(test_what_is_left_at_close_is_dispatched),
		cmocka_unit_test(test_a_message_sent_while_receiving_is_received),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
