/* Shuts a file system down without a flush of its journal, as a power cut would: shutdown MOUNTPOINT. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* linux/fs.h and ext4.h of the kernel; not in every system's headers. */
#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

int main(int argc, char **argv)
{
	uint32_t how = EXT4_GOING_FLAGS_NOLOGFLUSH;
	int directory = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (directory < 0 || ioctl(directory, EXT4_IOC_SHUTDOWN, &how) != 0) {
		perror("shutdown");
		return 1;
	}
	return 0;
}
