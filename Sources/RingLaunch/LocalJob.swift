import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The ranks that run, their output, and the loop that waits for all of it; the thin shell around
/// ``LaunchPolicy`` and ``LinePrefixer``.
final class LocalJob {
    private struct Process {
        var pid: pid_t
        var end: ProcessEnd?
    }

    /// The reading end of a rank's standard output or error.
    private struct Source {
        var descriptor: Int32
        var prefixer: LinePrefixer
        /// 0 for standard output, 1 for standard error.
        var sink: Int
    }

    private let gracePeriod: Duration
    private let outputStyle: LocalLauncher.OutputStyle
    private let program: String
    private let relay: SignalRelay
    private let guardian: Guardian
    private var processes: [Process] = []
    private var sources: [Source] = []
    private var sinks = [OutputSink(descriptor: STDOUT_FILENO), OutputSink(descriptor: STDERR_FILENO)]
    /// Both sinks lead to one place, where a line of one must not fall into a line of the other.
    private let isOnePlace: Bool

    init(gracePeriod: Duration, outputStyle: LocalLauncher.OutputStyle, program: String) throws {
        self.gracePeriod = gracePeriod
        self.outputStyle = outputStyle
        self.program = program
        relay = try SignalRelay()
        guardian = try Guardian(gracePeriod: gracePeriod)
        var (output, error) = (stat(), stat())
        isOnePlace =
            fstat(STDOUT_FILENO, &output) == 0 && fstat(STDERR_FILENO, &error) == 0
            && output.st_dev == error.st_dev && output.st_ino == error.st_ino
    }

    deinit {
        guardian.end()
        for source in sources { close(source.descriptor) }
        for process in processes where process.end == nil { ChildProcess.reap(process.pid) }
    }

    /// Starts the next rank.
    func start(_ path: String, arguments: [String], environment: ChildEnvironment) throws {
        let rank = processes.count
        var streams: [ChildProcess.Stream] = [rank == 0 && isatty(STDIN_FILENO) == 0 ? .inherited : .null]
        var ends: [Int32] = []
        defer { for end in ends { close(end) } }
        for sink in 0...1 {
            if outputStyle == .firstRankPlain && rank == 0 {
                streams.append(.inherited)
                continue
            }
            var pair: [Int32] = [-1, -1]
            // A pipe and not a socket, since programs open /dev/stdout, which a socket does not allow.
            try SystemCall.check("pipe") { pipe(&pair) }
            for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
            sources.append(Source(descriptor: pair[0], prefixer: LinePrefixer(rank: rank), sink: sink))
            ends.append(pair[1])
            streams.append(.descriptor(pair[1]))
        }
        let pid = try ChildProcess.start(
            path, arguments: arguments, environment: environment, group: guardian.group, streams: streams,
            keepingIgnored: relay.ignored.union([SIGTTOU]))
        processes.append(Process(pid: pid))
    }

    /// Waits until all ranks have ended and their output is out. Returns the exit status of the job.
    func runToEnd() -> Int32 {
        var policy = LaunchPolicy(ranks: processes.count, gracePeriod: gracePeriod)
        while true {
            perform(policy.ended(takeEnds()))
            if policy.areAllEnded {
                if sources.isEmpty || policy.hasKilled { break }
                // Whoever holds a pipe now is a child of a rank.
                if !readAll() && !sources.isEmpty && !sinks.contains(where: \.isFull) {
                    perform(policy.leftChildren())
                }
                if sources.isEmpty { break }
            }
            for signal in wait(until: policy.hasKilled ? nil : policy.killDeadline) where signal != SIGCHLD {
                perform(policy.received(signal))
            }
            perform(policy.checkTime())
        }
        guardian.end()
        finishOutput()
        return policy.exitStatus
    }

    private func perform(_ actions: [LaunchPolicy.Action]) {
        for action in actions {
            switch action {
            case .signal(let signal): guardian.signal(signal)
            case .say(let text): sinks[1].pending += Array("\(program): \(text)\n".utf8)
            }
        }
    }

    // MARK: Waiting

    /// Waits for output, signals, room in the sinks, or the deadline; moves output. Returns the signals.
    private func wait(until deadline: Deadline?) -> [Int32] {
        var descriptors = [pollfd(fd: relay.descriptor, events: Int16(POLLIN), revents: 0)]
        for source in sources where !sinks[source.sink].isFull {
            descriptors.append(pollfd(fd: source.descriptor, events: Int16(POLLIN), revents: 0))
        }
        for sink in sinks where sink.hasPending {
            descriptors.append(pollfd(fd: sink.descriptor, events: Int16(POLLOUT), revents: 0))
        }
        _ = poll(&descriptors, nfds_t(descriptors.count), deadline?.remainingMilliseconds() ?? -1)
        readAll()
        flush()
        return relay.take()
    }

    private func takeEnds() -> [(rank: Rank, end: ProcessEnd)] {
        var ends: [(rank: Rank, end: ProcessEnd)] = []
        for rank in processes.indices where processes[rank].end == nil {
            var status: Int32 = 0
            guard waitpid(processes[rank].pid, &status, WNOHANG) == processes[rank].pid else { continue }
            let end = ProcessEnd(waitStatus: status)
            processes[rank].end = end
            ends.append((rank, end))
        }
        return ends
    }

    // MARK: Output

    /// Reads what the ranks have written, as far as the sinks have room. Returns whether there was any.
    @discardableResult
    private func readAll() -> Bool {
        var hasRead = false
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var isOpen = [Bool](repeating: true, count: sources.count)
        for index in sources.indices where !sinks[sources[index].sink].isFull {
            let count = read(sources[index].descriptor, &buffer, buffer.count)
            let sink = sources[index].sink
            if count > 0 {
                hasRead = true
                sources[index].prefixer.take(buffer[..<count], into: &sinks[sink].pending)
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                sources[index].prefixer.finish(into: &sinks[sink].pending)
                isOpen[index] = false
            }
            // Nobody reads what this rank writes: let it notice.
            if sinks[sink].isBroken { isOpen[index] = false }
        }
        for index in sources.indices where !isOpen[index] { close(sources[index].descriptor) }
        sources = zip(sources, isOpen).filter(\.1).map(\.0)
        return hasRead
    }

    private func flush() {
        for index in sinks.indices where !(isOnePlace && sinks[1 - index].isWithinLine) {
            sinks[index].flush()
        }
    }

    /// Lets out what is left. A reader that takes its time is waited for until a signal comes.
    private func finishOutput() {
        let deadline = Deadline.after(.milliseconds(500))
        while !sources.isEmpty && !deadline.hasPassed {
            if !readAll() { _ = poll(nil, 0, 5) }
            flush()
        }
        for index in sources.indices {
            sources[index].prefixer.finish(into: &sinks[sources[index].sink].pending)
        }
        while sinks.contains(where: \.hasPending) {
            let signals = wait(until: nil)
            if signals.contains(where: { $0 != SIGCHLD && $0 != SIGUSR1 && $0 != SIGUSR2 }) { return }
        }
    }
}
