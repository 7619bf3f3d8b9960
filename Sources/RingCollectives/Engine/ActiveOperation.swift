import RingCore
import RingKernels
import RingTransport

/// An operation that a runner has in hand.
struct ActiveOperation {
    var request: OperationRequest
    let program: PlanProgram
    /// Its number among the communicator's collectives; of a message, the number of the collective after it.
    var sequence: UInt64
    /// Its handle, where it has one.
    var work: Work?
    var started: Deadline
    var deadline: Deadline
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

    /// Becomes another operation of the same program, which has just begun.
    mutating func restart(_ request: OperationRequest, sequence: UInt64, work: Work?, at now: Deadline) {
        // The rest of the request is the same, or there would be another program. Files of the same plans have two names.
        self.request.algorithm = request.algorithm
        (self.request.input, self.request.output) = (request.input, request.output)
        (self.request.initialCopy, self.request.owners) = (request.initialCopy, request.owners)
        self.request.timeout = request.timeout
        restart(sequence: sequence, at: now, deadline: now.advanced(by: request.timeout))
        self.work = work
    }

    /// Begins once more.
    mutating func restart(sequence: UInt64, at now: Deadline, deadline: Deadline) {
        (self.sequence, work) = (sequence, nil)
        (started, self.deadline) = (now, deadline)
        (remaining, wireBytes, elementBytes) = (program.transfers.count, 0, 0)
    }

    /// What it came to, once it has ended.
    func statistics(at now: Deadline) -> OperationStatistics {
        OperationStatistics(
            wireBytes: wireBytes, elementBytes: elementBytes, encodingError: encoder?.error,
            duration: .nanoseconds(Int64(now.nanoseconds - started.nanoseconds)),
            algorithm: request.algorithm)
    }
}
