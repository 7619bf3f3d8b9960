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
    /// The elements by rank, as a `PlanRequest` has them; nil for the even split.
    var counts: [Int]? = nil
    /// The other end, of a send or a receive.
    var message: MessageRequest? = nil

    /// Whether ranks may know the counts only as far as they concern themselves. Each transfer tells its own count then,
    /// see ``OperationSignature/byCounts``, so that ranks that expect another one notice.
    var isByCounts: Bool {
        signature.detail == OperationSignature.byCounts && signature.collective != .sendReceive
    }

    /// The signature that the frames of a transfer of so many bytes carry.
    func signature(ofTransfer byteCount: Int) -> OperationSignature {
        guard isByCounts else { return signature }
        var signature = signature
        signature.elementCount = byteCount / signature.dataType.byteCount
        return signature
    }

    /// How many bytes the whole collective moves or reduces on one rank.
    var byteCount: Int { signature.elementCount * signature.dataType.byteCount }
}

/// A message's other end, as one of the two ranks sees it.
struct MessageRequest: Hashable, Sendable {
    enum Direction: Hashable, Sendable {
        case send
        case receive
    }

    var direction: Direction
    var peer: Rank
    /// What tells messages between the same two ranks apart.
    var tag: UInt32
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
