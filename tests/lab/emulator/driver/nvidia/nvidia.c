// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for nvidia.ko: the PCI driver, /dev/nvidia0.. and /dev/nvidiactl (the nodes are made
 * by nvidia-modprobe), /proc/driver/nvidia. Loading it fails if it gets no card, and remove()
 * waits, unkillably, until nobody has the card open.
 *
 * Parameter `hopeless`: a remove() that had to wait once waits for ever, whoever lets go.
 */
#include "nvidia.h"

#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "../dispi.h"

#define CARDS 8

static int hopeless;
module_param(hopeless, int, 0644);

static struct nvidia_gpu *gpus[CARDS];
static const struct nvidia_client *the_client;
static DEFINE_MUTEX(lock);	/* of both */
static struct proc_dir_entry *driver_folder, *gpus_folder;
static struct cdev cards, control;

void nvidia_get(struct nvidia_gpu *gpu)
{
	atomic_inc(&gpu->users);
}
EXPORT_SYMBOL_GPL(nvidia_get);

void nvidia_put(struct nvidia_gpu *gpu)
{
	/* Under the queue's lock, so that whoever waits cannot free it before the wake-up is done. */
	unsigned long flags;

	spin_lock_irqsave(&gpu->unused.lock, flags);
	atomic_dec(&gpu->users);
	wake_up_all_locked(&gpu->unused);
	spin_unlock_irqrestore(&gpu->unused.lock, flags);
}
EXPORT_SYMBOL_GPL(nvidia_put);

void nvidia_register_client(const struct nvidia_client *client)
{
	int minor;

	mutex_lock(&lock);
	the_client = client;
	for (minor = 0; minor < CARDS; minor++)
		if (gpus[minor])
			client->probe(gpus[minor]);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(nvidia_register_client);

void nvidia_unregister_client(void)
{
	int minor;

	mutex_lock(&lock);
	for (minor = 0; minor < CARDS; minor++)
		if (gpus[minor])
			the_client->remove(gpus[minor]);
	the_client = NULL;
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(nvidia_unregister_client);

/* -- files: opening the card is all that can be done with it */

static int card_open(struct inode *inode, struct file *file)
{
	struct nvidia_gpu *gpu = NULL;

	mutex_lock(&lock);
	if (iminor(inode) < CARDS)
		gpu = gpus[iminor(inode)];
	if (gpu)
		nvidia_get(gpu);
	mutex_unlock(&lock);
	file->private_data = gpu;
	return gpu ? 0 : -ENODEV;
}

static int card_release(struct inode *inode, struct file *file)
{
	nvidia_put(file->private_data);
	return 0;
}

static const struct file_operations card_files = {
	.owner = THIS_MODULE,
	.open = card_open,
	.release = card_release,
};

static const struct file_operations control_files = { .owner = THIS_MODULE };

static int information_show(struct seq_file *file, void *unused)
{
	struct nvidia_gpu *gpu = file->private;

	seq_puts(file, "Model: \t\t NVIDIA Stand-in\n");
	seq_printf(file, "Bus Location: \t %s\n", pci_name(gpu->pci));
	seq_printf(file, "Device Minor: \t %d\n", gpu->minor);
	return 0;
}

/* -- the PCI driver */

static int nvidia_probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct nvidia_gpu *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	int minor, status;

	if (!gpu)
		return -ENOMEM;
	status = pci_enable_device(pci);
	if (status)
		goto free;
	gpu->pci = pci;
	init_waitqueue_head(&gpu->unused);
	pci_set_drvdata(pci, gpu);
	mutex_lock(&lock);
	for (minor = 0; minor < CARDS && gpus[minor]; minor++)
		;
	if (minor == CARDS) {
		status = -ENOSPC;
	} else {
		gpu->minor = minor;
		gpus[minor] = gpu;
		gpu->folder = proc_mkdir(pci_name(pci), gpus_folder);
		proc_create_single_data("information", 0444, gpu->folder, information_show, gpu);
		if (the_client)
			the_client->probe(gpu);
	}
	mutex_unlock(&lock);
	if (!status)
		return 0;
	pci_disable_device(pci);
free:
	kfree(gpu);
	return status;
}

static void wait_for_users(struct nvidia_gpu *gpu)
{
	if (!atomic_read(&gpu->users))
		return;
	pci_err(gpu->pci, "NVRM: removing a device with %d users\n", atomic_read(&gpu->users));
	wait_event(gpu->unused, !hopeless && !atomic_read(&gpu->users));
}

static void nvidia_remove(struct pci_dev *pci)
{
	struct nvidia_gpu *gpu = pci_get_drvdata(pci);

	mutex_lock(&lock);
	if (the_client)
		the_client->remove(gpu);
	gpus[gpu->minor] = NULL;
	proc_remove(gpu->folder);
	mutex_unlock(&lock);
	wait_for_users(gpu);
	spin_lock_irq(&gpu->unused.lock);	/* whoever woke us is through */
	spin_unlock_irq(&gpu->unused.lock);
	pci_disable_device(pci);
	kfree(gpu);
}

/* No MODULE_DEVICE_TABLE: the lab's card is bochs-drm's unless a test wants otherwise. */
static const struct pci_device_id ids[] = { { PCI_DEVICE(DISPI_VENDOR, DISPI_DEVICE) }, {} };

static struct pci_driver driver = {
	.name = "nvidia",
	.id_table = ids,
	.probe = nvidia_probe,
	.remove = nvidia_remove,
};

static bool has_card(void)
{
	int minor;

	for (minor = 0; minor < CARDS; minor++)
		if (gpus[minor])
			return true;
	return false;
}

static int add_files(void)
{
	int status;

	status = register_chrdev_region(MKDEV(NVIDIA_MAJOR, 0), CARDS, "nvidia");
	if (status)
		return status;
	status = register_chrdev_region(MKDEV(NVIDIA_MAJOR, NVIDIA_MINOR_CONTROL), 1, "nvidiactl");
	if (status) {
		unregister_chrdev_region(MKDEV(NVIDIA_MAJOR, 0), CARDS);
		return status;
	}
	cdev_init(&cards, &card_files);
	cdev_add(&cards, MKDEV(NVIDIA_MAJOR, 0), CARDS);
	cdev_init(&control, &control_files);
	cdev_add(&control, MKDEV(NVIDIA_MAJOR, NVIDIA_MINOR_CONTROL), 1);
	driver_folder = proc_mkdir("driver/nvidia", NULL);
	gpus_folder = proc_mkdir("gpus", driver_folder);
	return 0;
}

static void remove_files(void)
{
	proc_remove(driver_folder);
	cdev_del(&control);
	cdev_del(&cards);
	unregister_chrdev_region(MKDEV(NVIDIA_MAJOR, NVIDIA_MINOR_CONTROL), 1);
	unregister_chrdev_region(MKDEV(NVIDIA_MAJOR, 0), CARDS);
}

static int __init nvidia_init(void)
{
	int status = add_files();

	if (status)
		return status;
	status = pci_register_driver(&driver);
	if (!status && !has_card()) {
		pr_err("NVRM: no card is there, or another driver has it\n");
		pci_unregister_driver(&driver);
		status = -ENODEV;
	}
	if (status)
		remove_files();
	return status;
}

static void __exit nvidia_exit(void)
{
	pci_unregister_driver(&driver);
	remove_files();
}

module_init(nvidia_init);
module_exit(nvidia_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Stands in for NVIDIA's nvidia.ko, to test vfiod");
