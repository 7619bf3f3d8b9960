import RingCore
import RingSystem
import RingTransport

/// The job's transport as one communicator uses it: its own links, and its own numbers for the ranks.
///
/// What ends it, by ``abort(_:communicator:)`` or ``shutdown()``, leaves the job's other communicators alone.
final class CommunicatorTransport: Transport {
    let roster: Roster
    private let job: Job
    private let state = Monitor(State())

    private struct State {
        var failure: CollectiveError?
        var isShutDown = false
    }

    /// Enters the job, until ``shutdown()``.
    init(job: Job, roster: Roster) {
        self.job = job
        self.roster = roster
        job.enter()
    }

    var name: String { job.transport.name }
    var card: [UInt8] { job.transport.card }

    /// The job's ranks have met, so those of its parts have.
    func meet(_ cards: [[UInt8]]) throws {}

    func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        if let failure { throw failure }
        let member = roster.members[peer]
        do {
            let link = try job.transport.link(to: member, identifier, deadline: deadline)
            link.renumber(peer: peer)
            return link
        } catch let error as CollectiveError {
            if let failure { throw failure }
            guard member != peer || roster.members[roster.rank] != roster.rank else { throw error }
            throw CollectiveError(
                error.code, "no link to rank \(peer); by the job's numbers, \(error.message)",
                peer: error.peer.map { roster.members.firstIndex(of: $0) ?? peer }, cause: error.cause)
        }
    }

    func register(_ memory: UnsafeMutableRawBufferPointer) throws -> (any MemoryRegistration)? {
        try job.transport.register(memory)
    }

    func isRegistered(_ address: UnsafeRawPointer) -> Bool { job.transport.isRegistered(address) }

    var fewestLeasedBytes: Int? { job.transport.fewestLeasedBytes }

    func lease(_ memory: UnsafeRawBufferPointer) -> (any MemoryRegistration)? { job.transport.lease(memory) }

    var copiedBytes: Int { job.transport.copiedBytes }

    func dials(_ peer: Rank) -> Bool { job.transport.dials(roster.members[peer]) }

    private var failure: CollectiveError? { state.withLock { $0.failure } }

    func abort(_ error: CollectiveError, communicator: UInt32?) {
        state.withLock { $0.failure = $0.failure ?? error }
        job.transport.abort(error, communicator: roster.communicator)
    }

    func shutdown() {
        let isFirst = state.withLock { state in
            defer { state.isShutDown = true }
            return !state.isShutDown
        }
        guard isFirst else { return }
        abort(
            CollectiveError(.closed, "rank \(roster.rank)'s communicator has been closed", peer: roster.rank))
        retire(communicator: roster.communicator)
        job.leave()
    }

    func retire(communicator: UInt32) {
        job.transport.retire(communicator: roster.communicator)
    }
}
