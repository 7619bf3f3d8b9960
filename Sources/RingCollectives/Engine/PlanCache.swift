import RingCore
import RingPlan
import RingSystem
import RingTransport

/// Programs of operations that have been run before: a training loop makes the same calls again and again.
final class PlanCache: Sendable {
    private struct Key: Hashable {
        var signature: OperationSignature
        var isInPlace: Bool
        var counts: [Int]?
        var message: MessageRequest?
        var plannedCount: Int

        init(_ request: OperationRequest) {
            signature = request.signature
            isInPlace = request.isInPlace
            counts = request.counts
            message = request.message
            plannedCount = request.plannedCount
        }
    }

    private struct State {
        var programs: [Key: PlanProgram] = [:]
        /// The program that was asked for last: it often is the next one too.
        var last: (key: Key, program: PlanProgram)?
    }

    /// More programs than this, and the cache starts afresh.
    private static let capacity = 1024

    private let rank: Rank
    private let worldSize: Int
    private let state = Monitor(State())

    init(rank: Rank, worldSize: Int) {
        self.rank = rank
        self.worldSize = worldSize
    }

    /// The program of an operation. Throws `.invalidArgument` if there is no such plan.
    func program(for request: OperationRequest) throws -> PlanProgram {
        let key = Key(request)
        let found = state.withLock { state -> PlanProgram? in
            if let last = state.last, last.key == key { return last.program }
            guard let program = state.programs[key] else { return nil }
            state.last = (key, program)
            return program
        }
        if let found { return found }
        let made = try makeProgram(request)
        state.withLock {
            if $0.programs.count >= Self.capacity { $0.programs.removeAll() }
            $0.programs[key] = made
            $0.last = (key, made)
        }
        return made
    }

    private func makeProgram(_ request: OperationRequest) throws -> PlanProgram {
        let signature = request.signature
        let elementSize = signature.dataType.byteCount
        if let message = request.message { return PlanProgram(message, byteCount: request.byteCount) }
        let wanted = PlanRequest(
            signature.collective, worldSize: worldSize, rank: rank, elementCount: request.plannedCount,
            counts: request.counts, hasOnlyOwnCounts: request.isPairwise, root: signature.root,
            isInPlace: request.isInPlace)
        let plan =
            try request.plans?.plan(for: wanted) ?? Planners.plan(wanted, algorithm: request.algorithm)
        return PlanProgram(plan, elementSize: elementSize)
    }
}
