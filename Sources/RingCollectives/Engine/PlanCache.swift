import RingCore
import RingPlan
import RingTransport
import Synchronization

/// Programs of operations that have been run before: a training loop makes the same calls again and again.
final class PlanCache: Sendable {
    private struct Key: Hashable {
        var signature: OperationSignature
        var isInPlace: Bool
        var counts: [Int]?
        var channels: Int
    }

    /// More programs than this, and the cache starts afresh.
    private static let capacity = 1024

    private let rank: Rank
    private let worldSize: Int
    private let programs = Mutex<[Key: [PlanProgram]]>([:])

    init(rank: Rank, worldSize: Int) {
        self.rank = rank
        self.worldSize = worldSize
    }

    /// The programs of an operation, one a channel. Throws `.invalidArgument` if there is no such plan.
    func programs(for request: OperationRequest, channels: Int) throws -> [PlanProgram] {
        let key = Key(
            signature: request.signature, isInPlace: request.isInPlace, counts: request.counts,
            channels: channels)
        if let found = programs.withLock({ $0[key] }) { return found }
        let plan = try Planners.plan(
            PlanRequest(
                request.signature.collective, worldSize: worldSize, rank: rank,
                elementCount: request.counts?.reduce(0, +) ?? request.signature.elementCount,
                counts: request.counts, hasOnlyOwnCounts: request.isByCounts, root: request.signature.root,
                isInPlace: request.isInPlace),
            algorithm: request.algorithm)
        let made = (0..<channels).map {
            PlanProgram(
                plan, elementSize: request.signature.dataType.byteCount, channel: $0, channels: channels)
        }
        programs.withLock {
            if $0.count >= Self.capacity { $0.removeAll() }
            $0[key] = made
        }
        return made
    }
}
