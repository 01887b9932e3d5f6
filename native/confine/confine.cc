// confine [OPTION ...] -- PROGRAM [ARGUMENT ...]
//
// Runs a program in its place that can do little harm, whatever it is made to do by what it reads: a transcoder decodes
// what strangers send. What the kernel cannot do is said on standard error, and left out; only the user and the program
// itself have to be had.
//
//   --data BYTES         memory that it may have (RLIMIT_DATA: what it can write to, private to it)
//   --files NUMBER       descriptors that it may have open
//   --user UID:GID[,GID] who it is, with its further groups; needs root
//   --read-any           with --user: it may still read what root may (CAP_DAC_READ_SEARCH), where we may ourselves
//   --read PATH          it may read what is here and below, and nothing that no --read or --use names
//   --use PATH           the same, and write to what is there; for devices
//
// Always: it ends with its parent, leaves no core, gains nothing by set-user-ID programs, has no capability but that of
// --read-any, and with --read or --use it signals nobody outside and makes no file (Landlock, Linux 5.13 or later).

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int kExitFailed = 125;

struct Path {
  const char* name;
  bool writable;
};

struct Options {
  rlim_t data = 0;
  rlim_t files = 0;
  bool has_user = false;
  uid_t uid = 0;
  std::vector<gid_t> groups;
  bool reads_any = false;
  std::vector<Path> paths;
  char** program = nullptr;
};

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "confine: %s: %s\n", what, std::strerror(errno));
  std::exit(kExitFailed);
}

void LeaveOut(const char* what) { std::fprintf(stderr, "confine: without %s: %s\n", what, std::strerror(errno)); }

// The next number of a list that any one character divides.
uint64_t TakeNumber(const char*& text) {
  char* end = nullptr;
  errno = 0;
  const uint64_t number = std::strtoull(text, &end, 10);
  if (end == text) errno = EINVAL;
  if (errno != 0) Fail(text);
  text = *end == '\0' ? end : end + 1;
  return number;
}

Options Parse(char** argument) {
  Options options;
  for (++argument; *argument != nullptr; ++argument) {
    const std::string name = *argument;
    if (name == "--") {
      options.program = argument + 1;
      break;
    }
    if (name == "--read-any") {
      options.reads_any = true;
      continue;
    }
    const char* value = *++argument;
    errno = EINVAL;
    if (value == nullptr) Fail(name.c_str());
    if (name == "--data") options.data = TakeNumber(value);
    else if (name == "--files") options.files = TakeNumber(value);
    else if (name == "--read") options.paths.push_back({value, false});
    else if (name == "--use") options.paths.push_back({value, true});
    else if (name == "--user") {
      options.has_user = true;
      options.uid = static_cast<uid_t>(TakeNumber(value));
      while (*value != '\0') options.groups.push_back(static_cast<gid_t>(TakeNumber(value)));
    } else Fail(name.c_str());
  }
  errno = EINVAL;
  if (options.program == nullptr || *options.program == nullptr) Fail("no program");
  if (options.has_user && options.groups.empty()) Fail("--user without a group");
  return options;
}

void Limit(int resource, rlim_t value, const char* what) {
  if (value == 0 && resource != RLIMIT_CORE) return;
  rlimit limit{};
  getrlimit(resource, &limit);
  if (limit.rlim_max < value) value = limit.rlim_max;
  limit = {value, value};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) LeaveOut(what);
}

// Sets the permitted, effective and inheritable capabilities to those of `mask`.
bool SetCapabilities(uint64_t mask) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  for (int word = 0; word < 2; ++word) {
    data[word].effective = data[word].permitted = data[word].inheritable = static_cast<uint32_t>(mask >> (32 * word));
  }
  return syscall(SYS_capset, &header, data) == 0;
}

bool MayReadAny() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  return syscall(SYS_capget, &header, data) == 0 && (data[0].permitted & (1U << CAP_DAC_READ_SEARCH)) != 0;
}

void DropPrivileges(const Options& options) {
  const bool keeps = options.has_user && options.reads_any && MayReadAny();
  const uint64_t kept = keeps ? uint64_t{1} << CAP_DAC_READ_SEARCH : 0;
  // Refused without CAP_SETPCAP; then there is nothing to be gained by a program's file capabilities either, once
  // no_new_privs is set.
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (((kept >> capability) & 1) == 0) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  if (options.has_user) {
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setgroups(options.groups.size(), options.groups.data()) != 0) Fail("setgroups");
    if (setresgid(options.groups[0], options.groups[0], options.groups[0]) != 0) Fail("setresgid");
    if (setresuid(options.uid, options.uid, options.uid) != 0) Fail("setresuid");
  }
  // Root would get all of the bounding set again with the program.
  if (!options.has_user && geteuid() == 0) prctl(PR_SET_SECUREBITS, 1 /* SECBIT_NOROOT */, 0, 0, 0);
  if (!SetCapabilities(kept)) LeaveOut("dropping capabilities");
  if (keeps && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) != 0) {
    LeaveOut("reading what root may");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) LeaveOut("no_new_privs");
}

// landlock(7). Declared here, because a distribution's header is often older than its kernel.
struct Ruleset {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

struct __attribute__((packed)) PathBeneath {
  uint64_t allowed_access;
  int32_t parent_fd;
};

constexpr uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadDir = 1 << 3;
constexpr uint64_t kTruncate = 1 << 14, kIoctlDevice = 1 << 15;
constexpr uint64_t kReading = kExecute | kReadFile | kReadDir;
constexpr uint64_t kWriting = kWriteFile | kTruncate | kIoctlDevice;
constexpr uint64_t kScopeAbstractSocket = 1 << 0, kScopeSignal = 1 << 1;
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr int kPathBeneath = 1, kVersion = 1;

// What each version of Landlock's interface added to what a ruleset can forbid.
uint64_t HandledBy(long version) {
  if (version >= 5) return (1 << 16) - 1;
  if (version >= 3) return (1 << 15) - 1;
  return version == 2 ? (1 << 14) - 1 : (1 << 13) - 1;
}

void Enclose(const std::vector<Path>& paths) {
  const long version = syscall(kCreateRuleset, nullptr, 0, kVersion);
  if (version < 1) return LeaveOut("Landlock");
  Ruleset ruleset{HandledBy(version), 0, version >= 6 ? kScopeAbstractSocket | kScopeSignal : 0};
  const size_t size = version >= 6 ? sizeof ruleset : sizeof ruleset.handled_access_fs;
  const int fd = static_cast<int>(syscall(kCreateRuleset, &ruleset, size, 0));
  if (fd < 0) return LeaveOut("Landlock");
  for (const Path& path : paths) {
    PathBeneath rule{(kReading | (path.writable ? kWriting : 0)) & ruleset.handled_access_fs, -1};
    rule.parent_fd = open(path.name, O_PATH | O_CLOEXEC);
    // What is not there cannot be read.
    if (rule.parent_fd < 0) continue;
    struct stat status{};
    if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode)) rule.allowed_access &= ~kReadDir;
    if (syscall(kAddRule, fd, kPathBeneath, &rule, 0) != 0) Fail(path.name);
    close(rule.parent_fd);
  }
  if (syscall(kRestrictSelf, fd, 0) != 0) Fail("Landlock");
  close(fd);
}

}  // namespace

int main(int, char** arguments) {
  const Options options = Parse(arguments);
  const pid_t parent = getppid();
  Limit(RLIMIT_CORE, 0, "leaving no core");
  Limit(RLIMIT_NOFILE, options.files, "a limit of open files");
  Limit(RLIMIT_DATA, options.data, "a limit of memory");
  DropPrivileges(options);
  if (!options.paths.empty()) Enclose(options.paths);
  // After the change of user, which clears it; and the parent may be gone already.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) return kExitFailed;
  execvp(options.program[0], options.program);
  Fail(options.program[0]);
}
