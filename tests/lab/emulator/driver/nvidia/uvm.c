// SPDX-License-Identifier: GPL-2.0
/* A stand-in for nvidia-uvm.ko: /dev/nvidia-uvm, under a major number that the kernel chooses. */
#include "nvidia.h"

#include <linux/fs.h>
#include <linux/module.h>

static const struct file_operations files = { .owner = THIS_MODULE };
static int major;
/* Keeps nvidia in use; nothing is done with it. */
static void (*const uses)(struct nvidia_gpu *) = nvidia_get;

static int __init uvm_init(void)
{
	major = register_chrdev(0, "nvidia-uvm", &files);
	pr_debug("uses %ps\n", uses);
	return major < 0 ? major : 0;
}

static void __exit uvm_exit(void)
{
	unregister_chrdev(major, "nvidia-uvm");
}

module_init(uvm_init);
module_exit(uvm_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stands in for NVIDIA's nvidia-uvm.ko, to test vfiod");
