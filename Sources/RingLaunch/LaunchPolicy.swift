import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the launcher does about signals and ranks that end; pure: events in, actions out.
struct LaunchPolicy {
    enum Action: Equatable {
        /// Send all ranks and their children this signal.
        case signal(Int32)
        /// Say this on standard error.
        case say(String)
    }

    /// The first rank that failed, and how.
    private(set) var failure: (rank: Rank, end: ProcessEnd)?
    /// When the ranks are killed if they have not ended by then. Set once they were asked to end.
    private(set) var killDeadline: Deadline?
    private(set) var hasKilled = false

    private let gracePeriod: Duration
    private var running: Set<Rank>
    private var seen: Set<Int32> = []

    init(ranks: Int, gracePeriod: Duration) {
        self.gracePeriod = gracePeriod
        running = Set(0..<ranks)
    }

    var areAllEnded: Bool { running.isEmpty }

    /// What the launcher exits with.
    var exitStatus: Int32 { failure?.end.exitStatus ?? 0 }

    /// The launcher got this signal.
    mutating func received(_ signal: Int32) -> [Action] {
        guard signal != SIGUSR1 && signal != SIGUSR2 else { return [.signal(signal)] }
        // A terminal that is closed sends SIGHUP more than once.
        let isRepeated = !seen.insert(signal).inserted && signal != SIGHUP
        if isRepeated { return kill("on the second \(SignalName.text(signal))") }
        if killDeadline == nil { killDeadline = .after(gracePeriod) }
        return [.signal(signal)]
    }

    /// These ranks were found ended, at one time.
    mutating func ended(_ ends: [(rank: Rank, end: ProcessEnd)]) -> [Action] {
        for (rank, _) in ends { running.remove(rank) }
        // Of several, one that a signal killed is the likelier cause: the others may have noticed it missing.
        func weight(_ end: ProcessEnd) -> Int { if case .signal = end { 0 } else { 1 } }
        guard failure == nil,
            let first = ends.filter(\.end.isFailure).min(by: {
                (weight($0.end), $0.rank) < (weight($1.end), $1.rank)
            })
        else { return [] }
        failure = first
        var actions = [Action.say("rank \(first.rank) \(first.end)")]
        if killDeadline == nil && !running.isEmpty {
            killDeadline = .after(gracePeriod)
            actions.append(.signal(SIGTERM))
        }
        return actions
    }

    /// All ranks have ended and children of theirs still write.
    mutating func leftChildren() -> [Action] {
        guard killDeadline == nil else { return [] }
        killDeadline = .after(gracePeriod)
        return [.signal(SIGTERM)]
    }

    /// Time has passed.
    mutating func checkTime() -> [Action] {
        guard let killDeadline, killDeadline.hasPassed, !hasKilled else { return [] }
        return kill("after a grace period of \(gracePeriod.shortText)")
    }

    private mutating func kill(_ when: String) -> [Action] {
        guard !hasKilled else { return [] }
        hasKilled = true
        killDeadline = .now
        let still = running.sorted().map(String.init)
        guard !still.isEmpty else { return [.signal(SIGKILL)] }
        let list =
            still.count > 8
            ? still.prefix(6).joined(separator: ", ") + " and \(still.count - 6) more"
            : still.joined(separator: ", ")
        return [.say("killing \(still.count == 1 ? "rank" : "ranks") \(list) \(when)"), .signal(SIGKILL)]
    }
}
