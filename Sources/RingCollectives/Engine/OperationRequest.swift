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

    /// How many bytes the whole collective moves or reduces on one rank.
    var byteCount: Int { signature.elementCount * signature.dataType.byteCount }
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
