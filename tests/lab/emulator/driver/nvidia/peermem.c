// SPDX-License-Identifier: GPL-2.0
/* A stand-in for nvidia-peermem.ko: one more module that uses nvidia, and that few know of. */
#include "nvidia.h"

#include <linux/module.h>

/* Keeps nvidia in use; nothing is done with it. */
static void (*const uses)(struct nvidia_gpu *) = nvidia_get;

static int __init peermem_init(void)
{
	pr_debug("uses %ps\n", uses);
	return 0;
}

static void __exit peermem_exit(void)
{
}

module_init(peermem_init);
module_exit(peermem_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stands in for NVIDIA's nvidia-peermem.ko, to test vfiod");
