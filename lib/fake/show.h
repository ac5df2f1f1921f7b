/* lib/fake/show.h - what the files of libsluice-test know of each other. */
#ifndef SLUICE_FAKE_SHOW_H
#define SLUICE_FAKE_SHOW_H

#include <sluice/test.h>

/* Where shown texts live. */
sluice_arena *fake_arena(sluice_fake *fake);

#endif
