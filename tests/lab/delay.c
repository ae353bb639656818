/* A link with delay: holds each packet of one NFQUEUE for a while of its own, then lets it go on.
 *
 *   delay QUEUE DELAY_US JITTER_US [ENTER LEAVE]
 *   delay QUEUE @SCHEDULE
 *
 * A packet is held for DELAY_US plus a value uniform in [0, JITTER_US), whatever the others are
 * held for, so that delays are independent of each other and packets may overtake. ENTER and LEAVE are the chances, for each packet, to enter and to
 * leave the bad state of a Gilbert channel, in which every packet is lost: mean loss
 * ENTER / (ENTER + LEAVE), mean run of lost packets 1 / LEAVE.
 *
 * SCHEDULE is a file with a line for each packet in the order of arrival: for how many microseconds
 * it is held, or -1 if it is lost. What comes after the last line passes at once.
 *
 * Ready when it has printed "ready"; at SIGTERM it prints the packets seen and lost, and ends. With
 * a schedule it then also prints for how many nanoseconds it held each packet: "held NUMBER NS".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define HELD_MAX 65536 /* a power of two; more packets than this are lost, as in any queue */

static struct held {
    uint32_t id;
    unsigned long number;
    int64_t arrived_ns, release_ns;
} held[HELD_MAX]; /* soonest first */
#define SCHEDULED_MAX 65536
static int64_t schedule_us[SCHEDULED_MAX], held_ns[SCHEDULED_MAX];
static unsigned long scheduled;
static uint32_t head, tail; /* both only grow; their difference is how many are held */
static int64_t delay_ns, jitter_ns;
static double enter_bad, leave_bad;
static int bad;
static unsigned long seen, lost;
static volatile sig_atomic_t stopped;

static void stop(int number) { (void)number; stopped = 1; }

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int arrived(struct nfq_q_handle *queue, struct nfgenmsg *message, struct nfq_data *packet,
                   void *unused)
{
    (void)message; (void)unused;
    uint32_t id = ntohl(nfq_get_msg_packet_hdr(packet)->packet_id);
    int64_t now = now_ns();
    int64_t release = now + delay_ns + (int64_t)(drand48() * jitter_ns);
    unsigned long number = seen++;

    bad = drand48() < (bad ? 1 - leave_bad : enter_bad);
    if (number < scheduled) {
        bad = schedule_us[number] < 0;
        release = now + schedule_us[number] * 1000;
    }
    if (bad || tail - head == HELD_MAX) {
        lost++;
        return nfq_set_verdict(queue, id, NF_DROP, 0, NULL);
    }
    uint32_t place = tail++;
    for (; place != head && held[(place - 1) % HELD_MAX].release_ns > release; place--)
        held[place % HELD_MAX] = held[(place - 1) % HELD_MAX];
    held[place % HELD_MAX] = (struct held){id, number, now, release};
    return 0;
}

static void release_due(struct nfq_q_handle *queue)
{
    int64_t now;
    while (head != tail && held[head % HELD_MAX].release_ns <= (now = now_ns())) {
        struct held one = held[head++ % HELD_MAX];
        nfq_set_verdict(queue, one.id, NF_ACCEPT, 0, NULL);
        if (one.number < scheduled)
            held_ns[one.number] = now - one.arrived_ns;
    }
}

static int read_schedule(const char *path)
{
    FILE *file = fopen(path, "r");
    long long us;
    if (!file) {
        perror(path);
        return -1;
    }
    while (scheduled < SCHEDULED_MAX && fscanf(file, "%lld", &us) == 1) {
        held_ns[scheduled] = -1;
        schedule_us[scheduled++] = us;
    }
    fclose(file);
    return 0;
}

static struct timespec until_next(void)
{
    int64_t left = head == tail ? 1000000000LL : held[head % HELD_MAX].release_ns - now_ns();
    if (left < 0)
        left = 0;
    return (struct timespec){left / 1000000000LL, left % 1000000000LL};
}

int main(int argc, char **argv)
{
    static char buffer[65536] __attribute__((aligned));
    int follows = argc == 3 && argv[2][0] == '@';
    if (argc != 4 && argc != 6 && !follows) {
        fprintf(stderr, "usage: delay QUEUE DELAY_US JITTER_US [ENTER LEAVE], or QUEUE @SCHEDULE\n");
        return 2;
    }
    if (follows && read_schedule(argv[2] + 1))
        return 2;
    delay_ns = follows ? 0 : atoll(argv[2]) * 1000;
    jitter_ns = follows ? 0 : atoll(argv[3]) * 1000;
    enter_bad = argc == 6 ? atof(argv[4]) : 0;
    leave_bad = argc == 6 ? atof(argv[5]) : 1;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    prctl(PR_SET_TIMERSLACK, 1UL); /* nanoseconds; the default of 50 us would be seen */
    /* Ahead of whatever else this machine does, where that is allowed: a late wake-up is a delay. */
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 50});
    srand48(now_ns());

    struct nfq_handle *handle = nfq_open();
    struct nfq_q_handle *queue = handle
        ? nfq_create_queue(handle, atoi(argv[1]), &arrived, NULL) : NULL;
    if (!queue || nfq_set_mode(queue, NFQNL_COPY_META, 0) < 0
        || nfq_set_queue_maxlen(queue, HELD_MAX) < 0) {
        perror("delay: nfqueue");
        return 1;
    }
    struct pollfd waiting = {.fd = nfq_fd(handle), .events = POLLIN};
    puts("ready");
    fflush(stdout);
    while (!stopped) {
        struct timespec left = until_next();
        if (ppoll(&waiting, 1, &left, NULL) > 0) {
            ssize_t size = recv(waiting.fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (size > 0)
                nfq_handle_packet(handle, buffer, (int)size);
            else if (size < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
                perror("delay: recv");
                return 1;
            }
        }
        release_due(queue);
    }
    printf("seen %lu lost %lu\n", seen, lost);
    for (unsigned long number = 0; number < scheduled && number < seen; number++)
        printf("held %lu %lld\n", number, (long long)held_ns[number]);
    nfq_destroy_queue(queue);
    nfq_close(handle);
    return 0;
}
