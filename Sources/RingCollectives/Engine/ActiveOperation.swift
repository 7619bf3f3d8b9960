import RingCore
import RingKernels
import RingTransport

/// An operation that a runner has in hand.
struct ActiveOperation {
    var request: OperationRequest
    let program: PlanProgram
    /// Its number among the communicator's collectives; of a message, the number of the collective after it.
    let sequence: UInt64
    /// Its handle, where it has one.
    let work: Work?
    let started: Deadline
    let deadline: Deadline
    /// The place of its first transfer in ``Runner/done``.
    let firstTransfer: Int
    /// Where its scratch memory begins in the runner's.
    let scratchOffset: Int
    let kernel: ReductionKernel?
    let finalKernel: ReductionKernel?
    /// How many of its transfers are not complete.
    var remaining: Int
    /// The payload bytes sent.
    var wireBytes = 0
    /// The bytes of the elements that they stand for.
    var elementBytes = 0
    /// The buffers that the transport knows, so that they need not be copied.
    var lendable: BufferSet = []
    /// What keeps it so of those that the caller has not registered, until the operation ends.
    var leases: [any MemoryRegistration] = []
    /// Its encoder, where it is compressed.
    var encoder: SegmentEncoder?

    var isMessage: Bool { request.message != nil }

    /// What it came to, once it has ended.
    func statistics(at now: Deadline) -> OperationStatistics {
        OperationStatistics(
            wireBytes: wireBytes, elementBytes: elementBytes, encodingError: encoder?.error,
            duration: .nanoseconds(Int64(now.nanoseconds - started.nanoseconds)),
            algorithm: request.algorithm)
    }
}
