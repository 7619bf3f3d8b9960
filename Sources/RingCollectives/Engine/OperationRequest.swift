import RingCore
import RingPlan
import RingTransport

/// An operation that is to be run: what it is, and where its elements are.
struct OperationRequest: @unchecked Sendable {
    // The pointers are the caller's; by the contract of `Communicator.start` they stay valid, and nobody else
    // touches what they point at, until the operation has ended.
    var signature: OperationSignature
    var algorithm: String
    var isInPlace: Bool
    var input: UnsafeRawPointer?
    var output: UnsafeMutableRawPointer?
    var timeout: Duration
    /// The elements of each rank, or from each to each, where they are not the even split; see `PlanRequest.counts`.
    var counts: [Int]?
    /// What is sent or received, where the operation is a message between two ranks.
    var message: MessageRequest?
    /// The caller's own plans, where it has brought some.
    var plans: PlanFile?

    /// The elements that this request is for, where an operation is divided among channels.
    var part: Range<Int>?

    /// How many bytes the whole collective moves or reduces on one rank, as far as all ranks know it alike.
    var byteCount: Int { signature.elementCount * signature.dataType.byteCount }

    /// Whether each pair of ranks knows only its own counts: every frame then carries that of its own transfer.
    var isPairwise: Bool {
        guard counts != nil else { return false }
        switch signature.collective {
        case .gather, .scatter, .allToAll: return true
        default: return false
        }
    }
}

extension OperationRequest {
    /// The elements that are planned for.
    var plannedCount: Int { part?.count ?? counts?.reduce(0, +) ?? signature.elementCount }

    /// The operation as so many, each for a part of the elements: a single one where it cannot be divided.
    func divided(among channels: Int) -> [OperationRequest] {
        guard channels > 1, counts == nil, plans == nil else { return [self] }
        switch signature.collective {
        case .allReduce, .broadcast, .reduce: break
        default: return [self]
        }
        let parts = Partition(count: signature.elementCount, parts: channels)
        return (0..<channels).map { channel in
            var request = self
            let offset = parts[channel].lowerBound * signature.dataType.byteCount
            request.part = parts[channel]
            request.input = input.map { $0 + offset }
            request.output = output.map { $0 + offset }
            return request
        }
    }
}

/// A message between two ranks, this one and another.
struct MessageRequest: Hashable, Sendable {
    enum Direction: Sendable {
        case send
        case receive
    }

    var direction: Direction
    /// The other rank.
    var peer: Rank
}

/// What an operation cost.
public struct OperationStatistics: Sendable, Hashable {
    /// The payload bytes that this rank sent.
    public var wireBytes: Int
    /// The time from the operation's start on this rank to its end, waiting in the queue not counted.
    public var duration: Duration
    /// The name of the algorithm that ran.
    public var algorithm: String
}
