import Logging
import RingBootstrap
import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The job's store as a communicator that connects uses it.
final class OpenedStore: Sendable {
    let store: any Store
    /// What this process opened itself, and closes.
    private let owned: JobStore?
    private let prefix: String
    /// What this rank has told, in a store that keeps it.
    private let told = Monitor<String?>(nil)

    init(_ configuration: Configuration, deadline: Deadline) throws {
        prefix = configuration.storePrefix
        switch configuration.store.kind {
        case .custom(let store):
            self.store = store
            owned = nil
        case .location(let location):
            let logger = configuration.logger
            let opened = try JobStore(
                location, rank: configuration.rank, job: configuration.jobIdentifier,
                secret: configuration.jobSecret, identity: Host.identity, deadline: deadline,
                onWarning: { logger.warning("\($0)") })
            store = opened.store
            owned = opened
        }
    }

    private var lossKey: String { prefix + "/lost" }
    private var presenceKey: String { prefix + "/present" }

    /// Has the store tell the others if this process ends before it is connected.
    func leaveWill(rank: Rank, deadline: Deadline) throws -> StoreWill {
        try store.set(presenceKey, to: [], by: deadline)
        let will = StoreWill(key: lossKey, value: Array("\(rank)".utf8))
        try store.leave(will, by: deadline)
        return will
    }

    /// Tells all ranks something before they connect; what all have told, by rank.
    ///
    /// `occasion` is the same on all ranks of this job, and on those of no other that has used the store.
    func exchange(
        _ value: [UInt8], on occasion: UInt64, rank: Rank, worldSize: Int, deadline: Deadline
    ) throws -> [[UInt8]] {
        // Not behind the prefix of the rendezvous, which clears up after itself at a time of its own.
        func key(_ rank: Rank) -> String { "\(prefix)-transport/\(String(occasion, radix: 16))/\(rank)" }
        try store.set(key(rank), to: value, by: deadline)
        if store.outlivesJob { told.withLock { $0 = key(rank) } }
        do {
            return try store.values(
                of: (0..<worldSize).map(key), interruptedBy: store.outlivesJob ? nil : lossKey, by: deadline)
        } catch let error as CollectiveError {
            try checkLosses()
            throw error
        }
    }

    /// This process is connected. A store that has gone by now is not missed.
    func withdraw(_ will: StoreWill) {
        try? store.withdraw(will, by: .after(.seconds(5)))
    }

    /// Throws if a rank has ended during start-up.
    func checkLosses() throws {
        // A store that outlives the job keeps no wills.
        guard !store.outlivesJob else { return }
        do {
            // The first key is there, so the answer comes at once and says whether the other one is. A question that
            // runs out of time would end its connection to the store, and carry out this rank's own will.
            _ = try store.values(of: [presenceKey], interruptedBy: lossKey, by: .after(.seconds(5)))
        } catch let error as CollectiveError {
            guard case .interrupted(let value) = error.cause as? StoreWaitFailure else { return }
            let text = String(decoding: value, as: UTF8.self)
            throw CollectiveError(.peerLost, "rank \(text) ended during start-up", peer: Rank(text))
        }
    }

    func close() {
        if let key = told.withLock({ $0.take() }) { _ = try? store.remove(key, by: .after(.seconds(1))) }
        owned?.close()
    }

    /// Closes the store after this rank has failed to connect.
    ///
    /// Rank 0 serves the store a moment longer: ranks that come later must read there why the job failed, rather than
    /// find nobody and blame rank 0. Blocks for that time.
    func abandon(rank: Rank) {
        if rank == 0, owned != nil { usleep(1_000_000) }
        close()
    }
}
