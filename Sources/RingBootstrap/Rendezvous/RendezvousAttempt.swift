import RingCore

/// One rank's way through a rendezvous.
struct RendezvousAttempt {
    let store: any Store
    let prefix: String
    let deadline: Deadline
    let rank: Rank
    let view: WorldView
    private let time: Duration

    /// How long the last words to the store may take, whether or not the deadline has passed.
    private static let farewellTime = Duration.seconds(1)

    init(store: any Store, prefix: String, deadline: Deadline, rank: Rank, view: WorldView) {
        self.store = store
        self.prefix = prefix
        self.deadline = deadline
        self.rank = rank
        self.view = view
        time = deadline.remaining
    }

    private var worldSize: Int { view.worldSize }
    private var worldKey: String { prefix + "/world" }
    private var failureKey: String { prefix + "/failure" }

    private func cardKey(_ rank: Rank) -> String { "\(prefix)/card/\(rank)" }

    private func doneKey(_ rank: Rank) -> String { "\(prefix)/done/\(rank)" }

    func run(card: [UInt8]) throws -> [Rendezvous.Member] {
        do {
            return try meet(card: card)
        } catch let error as CollectiveError
            where [.peerLost, .timedOut].contains(error.code) && error.peer == 0
        {
            // Of the store's own faults these are rank 0's: it serves the store.
            throw CollectiveError(
                .rendezvousFailed, rankZeroIsGone(error), peer: 0, cause: error)
        }
    }

    private func meet(card: [UInt8]) throws -> [Rendezvous.Member] {
        guard (0..<worldSize).contains(rank) else {
            throw fail(
                .misfit, peer: rank,
                "\(view.name) is out of range: the world size is \(worldSize), so ranks are 0 to "
                    + "\(worldSize - 1)"
            )
        }
        try claimWorld()
        let farewell = FailureRecord(kind: .left, peer: rank, message: "\(view.name) left during start-up")
        let will = StoreWill(key: failureKey, value: farewell.bytes)
        try store.leave(will, by: deadline)
        let members: [Rendezvous.Member]
        do {
            try publish(card)
            members = try readAll()
        } catch {
            // What went wrong stands in the store already; that this rank leaves is no news.
            try? store.withdraw(will, by: .after(Self.farewellTime))
            throw error
        }
        // If it cannot be withdrawn, it harms nobody: all cards are there, so no rank waits for long.
        try? store.withdraw(will, by: .after(Self.farewellTime))
        tidyUp()
        return members
    }

    /// Agrees on world size and version with whoever came first.
    private func claimWorld() throws {
        guard let existing = try store.setIfAbsent(worldKey, to: view.bytes, by: deadline) else { return }
        guard let other = WorldView(bytes: existing) else {
            throw fail(.misfit, peer: nil, "the store's record of the world, \(worldKey), is malformed")
        }
        if other.version != view.version {
            throw fail(
                .misfit, peer: rank,
                "\(view.name) speaks protocol version \(view.version) and \(other.name) version "
                    + "\(other.version); run the same version on all ranks")
        }
        if other.worldSize != worldSize {
            throw fail(
                .misfit, peer: rank,
                "\(view.name) was started with world size \(worldSize) and \(other.name) with "
                    + "\(other.worldSize); all ranks must have the same")
        }
    }

    private func publish(_ card: [UInt8]) throws {
        let record = CardRecord(identity: view.identity, card: card).bytes
        guard let existing = try store.setIfAbsent(cardKey(rank), to: record, by: deadline) else { return }
        let other = CardRecord(bytes: existing)?.identity ?? "a process unknown"
        throw fail(
            .misfit, peer: rank, "rank \(rank) is claimed by two processes: \(other) and \(view.identity)")
    }

    private func readAll() throws -> [Rendezvous.Member] {
        let keys = (0..<worldSize).map(cardKey)
        let values: [[UInt8]]
        do {
            values = try store.values(of: keys, interruptedBy: failureKey, by: deadline)
        } catch let error as CollectiveError {
            guard let failure = error.cause as? StoreWaitFailure else { throw error }
            switch failure {
            case .missing(let missing):
                let ranks = (0..<worldSize).filter(Set(missing.map(rank(ofCard:))).contains)
                let message = Self.absence(of: ranks, among: worldSize, within: time)
                throw fail(.absent, peer: ranks.first, message, absentees: ranks)
            case .interrupted(let value):
                throw told(FailureRecord(bytes: value))
            }
        }
        return try values.enumerated().map { rank, value in
            guard let record = CardRecord(bytes: value) else {
                throw CollectiveError(
                    .rendezvousFailed, "the card of rank \(rank) is malformed", peer: rank)
            }
            return Rendezvous.Member(identity: record.identity, card: record.card)
        }
    }

    private func rank(ofCard key: String) -> Rank? {
        key.split(separator: "/").last.flatMap { Rank($0) }
    }

    /// Clears a store that stays. Whoever finds all ranks done removes everything; nobody waits for it.
    private func tidyUp() {
        guard store.outlivesJob else { return }
        let soon = Deadline.after(Self.farewellTime)
        do {
            try store.set(doneKey(rank), to: [], by: soon)
            _ = try store.values(of: (0..<worldSize).map(doneKey), interruptedBy: nil, by: .now)
            _ = try store.removeAll(withPrefix: prefix + "/", by: soon)
        } catch {
            // Not the last one, or the directory has gone: nothing depends on it.
        }
    }
}

// MARK: Failures

extension RendezvousAttempt {
    /// Puts a failure where all ranks find it, and returns it as an error for this rank.
    ///
    /// A failure that is there already stays: it is the cause.
    private func fail(
        _ kind: FailureRecord.Kind, peer: Rank?, _ message: String, absentees: [Rank] = []
    ) -> CollectiveError {
        let record = FailureRecord(kind: kind, peer: peer, message: message, absentees: absentees)
        let soon = Deadline.after(Self.farewellTime)
        let earlier = try? store.setIfAbsent(failureKey, to: record.bytes, by: soon)
        if kind == .absent, let earlier { return told(FailureRecord(bytes: earlier)) }
        return CollectiveError(.rendezvousFailed, message + hint, peer: peer)
    }

    /// The error for a failure that another rank, or a will, put into the store.
    private func told(_ record: FailureRecord?) -> CollectiveError {
        guard let record else {
            return CollectiveError(
                .rendezvousFailed, "another rank failed during start-up, and its reason is malformed")
        }
        let isLate = record.kind == .absent && record.names(rank)
        let lead = isLate ? "\(view.name) came too late: " : ""
        return CollectiveError(.rendezvousFailed, lead + oneLine(record.message) + hint, peer: record.peer)
    }

    /// Where keys of an earlier job may be the reason, says so.
    private var hint: String {
        guard let store = store as? FileStore else { return "" }
        return
            " (or \(store.folder) holds keys of an earlier job: give each job a directory or a name of its "
            + "own)"
    }

    private func rankZeroIsGone(_ error: CollectiveError) -> String {
        let identity = (store as? TCPStore)?.serverIdentity ?? ""
        let name = identity.isEmpty ? "rank 0" : "rank 0 (\(identity))"
        return error.code == .peerLost
            ? "\(name) left during start-up: \(error.message)" : "\(name) is silent: \(error.message)"
    }

    /// `ranks 2 and 5 of 8 did not arrive within 60 s`; of many, the first and how many more.
    static func absence(of ranks: [Rank], among worldSize: Int, within time: Duration) -> String {
        let shown = ranks.count > 8 ? 6 : ranks.count
        var names = ranks.prefix(shown).map(String.init)
        if ranks.count > shown { names.append("\(ranks.count - shown) more") }
        let list =
            names.count > 1
            ? names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
            : names.joined()
        return "\(ranks.count == 1 ? "rank" : "ranks") \(list) of \(worldSize) did not arrive within "
            + time.roundedText
    }
}
