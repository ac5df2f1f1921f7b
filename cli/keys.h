/* cli/keys.h - the pages about the keys of a broker, a worker and every connector,
 * which
 * --keys of the commands prints and docs/ holds.
 *
 * Threads: the main one. All is printed to standard output. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

/* The broker's keys and the topics'. */
void keys_print_broker(void);

/* The worker's keys, and those that connectors, transformations and predicates have
 * besides their own. */
void keys_print_worker(void);

#endif
