/* A TUN link whose far side answers echo requests, each class of address in its own way.
 *
 *   tun_link DEVICE DELAY_US LATE_US
 *
 * The class is the third octet of an IPv4 destination, or the fourth group of an IPv6 one:
 *   1 answers DELAY_US after the request was read, on an absolute deadline
 *   2 is silent
 *   3 answers after LATE_US
 *   4 answers twice
 *   5 answers from the next address
 *   6 sends "host unreachable" from host 254 (version 6: "address unreachable" from ::fe)
 *   7 answers with the DSCP cleared and a hop limit of 57
 *   8 answers with a wrong checksum
 *   9 answers with the header cut short
 *
 * Ready when it has printed "ready". At SIGTERM it prints the number of answers of class 1 and the
 * median of what really passed between their request's reading and their writing, in seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 2048
#define HELD_MAX 8192
#define LOG_MAX 65536
#define SPIN_NS 200000 /* a sleeper wakes some 50 us late; the rest is waited for awake */

struct held { int64_t read_ns, release_ns; int logged, length; uint8_t packet[PACKET_MAX]; };
struct queue { struct held *held; uint32_t head, tail; };

static struct queue prompt, late;
static double passed_s[LOG_MAX];
static int passed_count, tun;
static volatile sig_atomic_t stopped;

static void stop(int number) { (void)number; stopped = 1; }

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint32_t add(uint32_t sum, const uint8_t *octets, int length)
{
    for (int i = 0; i < length; i++)
        sum += i & 1 ? octets[i] : (uint32_t)octets[i] << 8;
    return sum;
}

static void put_checksum(uint8_t *where, uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    where[0] = ~sum >> 8;
    where[1] = ~sum;
}

static void finish(uint8_t *p, int length)
{
    int six = p[0] >> 4 == 6, header = six ? 40 : (p[0] & 15) * 4;
    uint32_t sum = 0;

    p[header + 2] = p[header + 3] = 0;
    if (six) {
        p[4] = (length - 40) >> 8; p[5] = length - 40;
        sum = add(58 + length - 40, p + 8, 32);
    } else {
        p[2] = length >> 8; p[3] = length;
        p[10] = p[11] = 0;
        put_checksum(p + 10, add(0, p, header));
    }
    put_checksum(p + header + 2, add(sum, p + header, length - header));
}

static void hold(struct queue *queue, const uint8_t *packet, int length, int64_t read_ns,
                 int64_t delay_ns, int logged)
{
    struct held *h = &queue->held[queue->tail % HELD_MAX];

    if (queue->tail - queue->head == HELD_MAX) {
        fprintf(stderr, "tun_link: too many packets held\n");
        exit(1);
    }
    queue->tail++;
    h->read_ns = read_ns;
    h->release_ns = read_ns + delay_ns;
    h->logged = logged;
    h->length = length;
    memcpy(h->packet, packet, length);
}

static void answer(uint8_t *p, int length, int64_t delay_ns, int64_t late_ns)
{
    int64_t read_ns = now_ns();
    int six = p[0] >> 4 == 6, header = six ? 40 : (p[0] & 15) * 4, size = six ? 16 : 4;
    uint8_t *source = p + (six ? 8 : 12), *target = p + (six ? 24 : 16), swap[16];
    int class = six ? target[7] : target[2];
    uint8_t quoted[PACKET_MAX];

    if (length < header + 8 || p[six ? 6 : 9] != (six ? 58 : 1) || p[header] != (six ? 128 : 8)
        || class < 1 || class > 9 || class == 2)
        return;
    memcpy(quoted, p, length);
    memcpy(swap, source, size); memcpy(source, target, size); memcpy(target, swap, size);
    p[header] = six ? 129 : 0;
    switch (class) {
    case 5:
        source[size - 1]++;
        break;
    case 6:
        source[size - 1] = 254;
        p[header] = six ? 1 : 3; p[header + 1] = six ? 3 : 1;
        memset(p + header + 4, 0, 4);
        memcpy(p + header + 8, quoted, header + 8);
        length = header + 8 + header + 8;
        break;
    case 7:
        if (six) { p[0] = 0x60; p[1] &= 15; p[7] = 57; } else { p[1] &= 3; p[8] = 57; }
        break;
    case 9:
        length = header + 6;
        break;
    }
    finish(p, length);
    if (class == 8)
        p[header + 2] ^= 1;
    hold(class == 3 ? &late : &prompt, p, length, read_ns, class == 3 ? late_ns : delay_ns,
         class == 1);
    if (class == 4)
        hold(&prompt, p, length, read_ns, delay_ns, 0);
}

static int64_t release(struct queue *queue)
{
    while (queue->head != queue->tail) {
        struct held *h = &queue->held[queue->head % HELD_MAX];
        int64_t now = now_ns();
        if (now < h->release_ns)
            return h->release_ns - now;
        if (write(tun, h->packet, h->length) < 0)
            perror("tun_link: write");
        if (h->logged && passed_count < LOG_MAX)
            passed_s[passed_count++] = (now - h->read_ns) * 1e-9;
        queue->head++;
    }
    return 1000000000;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    struct sigaction action = {.sa_handler = stop};
    struct sched_param first = {.sched_priority = 1}; /* a busy machine must not delay the link */
    uint8_t packet[PACKET_MAX];

    if (argc != 4)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_TIMERSLACK, 1);
    if (sched_setscheduler(0, SCHED_FIFO, &first) < 0)
        perror("tun_link: answers may be late");
    sigaction(SIGTERM, &action, NULL);
    strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
    tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0) {
        perror("tun_link");
        return 1;
    }
    prompt.held = calloc(HELD_MAX, sizeof(struct held));
    late.held = calloc(HELD_MAX, sizeof(struct held));
    printf("ready\n");
    fflush(stdout);
    while (!stopped) {
        int length;
        while ((length = read(tun, packet, sizeof packet)) > 0)
            answer(packet, length, atoll(argv[2]) * 1000, atoll(argv[3]) * 1000);
        int64_t wait = release(&prompt), wait_late = release(&late);
        if (wait_late < wait)
            wait = wait_late;
        if (wait > SPIN_NS) {
            struct timespec t = {(wait - SPIN_NS) / 1000000000, (wait - SPIN_NS) % 1000000000};
            struct pollfd readable = {.fd = tun, .events = POLLIN};
            ppoll(&readable, 1, &t, NULL);
        }
    }
    qsort(passed_s, passed_count, sizeof *passed_s, ascending);
    printf("%d %.9f\n", passed_count, passed_count ? passed_s[passed_count / 2] : 0.0);
    return 0;
}
