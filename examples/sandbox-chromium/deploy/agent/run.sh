#!/bin/sh
# Run the sandbox: sh deploy/agent/run.sh [--image IMAGE] [--fuse] [--sudo] [COMMAND...]
#
# By default, only the home and /tmp are writable, without capabilities or new privileges.
# --fuse: allow it to mount a bucket, with /dev/fuse and SYS_ADMIN. SYS_ADMIN is close to root on the host.
# --sudo: allow it to become root in the container, without no-new-privileges.
#
# Fargate, Cloud Run and gVisor without FUSE cannot mount a bucket. Use the AWS CLI or an SDK there.
# The home is the volume agent-home. `docker volume rm agent-home` deletes it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
image=agent
strict="--security-opt no-new-privileges" more=""
while [ $# -gt 0 ]; do
  case $1 in
    --image) image=$2 && shift ;;
    --fuse) strict="" more="$more --device /dev/fuse --cap-add SYS_ADMIN --security-opt apparmor=unconfined" ;;
    --sudo) strict="" more="$more --cap-add SETUID --cap-add SETGID --cap-add AUDIT_WRITE"
      more="$more --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER" ;;
    --*) echo "Unknown option $1: use --image IMAGE, --fuse or --sudo." >&2 && exit 2 ;;
    *) break ;;
  esac
  shift
done
terminal=$([ ! -t 0 ] || echo --tty)
# The profile allows the browser's own sandbox. Its tabs need more than the default 64 MB of shared memory.
# shellcheck disable=SC2086 # split into words
exec docker run --rm --interactive $terminal --read-only --tmpfs /tmp:exec --volume agent-home:/home/sandbox \
  --cap-drop ALL $strict $more --security-opt "seccomp=$here/seccomp.json" --shm-size 1g \
  --memory 2g --pids-limit 512 "$image" "$@"
