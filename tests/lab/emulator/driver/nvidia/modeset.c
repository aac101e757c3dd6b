// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for nvidia-modeset.ko: /dev/nvidia-modeset, and the only way from nvidia_drm to
 * nvidia, so that the reference counts are as in the real set.
 */
#include "nvidia.h"

#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>

static const struct file_operations files = { .owner = THIS_MODULE };
static struct cdev node;

void nvkms_register_client(const struct nvidia_client *client)
{
	nvidia_register_client(client);
}
EXPORT_SYMBOL_GPL(nvkms_register_client);

void nvkms_unregister_client(void)
{
	nvidia_unregister_client();
}
EXPORT_SYMBOL_GPL(nvkms_unregister_client);

void nvkms_get(struct nvidia_gpu *gpu)
{
	nvidia_get(gpu);
}
EXPORT_SYMBOL_GPL(nvkms_get);

void nvkms_put(struct nvidia_gpu *gpu)
{
	nvidia_put(gpu);
}
EXPORT_SYMBOL_GPL(nvkms_put);

static int __init modeset_init(void)
{
	dev_t number = MKDEV(NVIDIA_MAJOR, NVIDIA_MINOR_MODESET);
	int status = register_chrdev_region(number, 1, "nvidia-modeset");

	if (status)
		return status;
	cdev_init(&node, &files);
	return cdev_add(&node, number, 1);
}

static void __exit modeset_exit(void)
{
	cdev_del(&node);
	unregister_chrdev_region(MKDEV(NVIDIA_MAJOR, NVIDIA_MINOR_MODESET), 1);
}

module_init(modeset_init);
module_exit(modeset_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stands in for NVIDIA's nvidia-modeset.ko, to test vfiod");
