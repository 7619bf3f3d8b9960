import RingCore
import RingTransport

/// A call that was made before, of one operation or of a group, with what was made of it: who makes the same call again,
/// on other memory perhaps, has it checked, planned and taken in hand once.
///
/// It is for plain operations: even shares or messages, no compression, nothing that lives as long as the operation.
final class RecentCall: @unchecked Sendable {
    // What changes is used by whoever has the turn to drive the engine's runner.

    fileprivate let outlines: [Outline]
    fileprivate let algorithms: [Algorithm]
    /// The requests; their memory is that of the first call.
    private let requests: [OperationRequest]
    /// How many of them are collectives, and so have a number.
    let collectiveCount: UInt64
    /// By when each has to end, in nanoseconds from its start.
    let timeouts: [UInt64]
    /// What a runner had in hand when it ran the call; while it still has, the runner's arrays of before.
    var hand = Hand()
    /// Whether there is such a thing.
    var hasHand = false
    /// What the call sends and receives, if it is nothing but messages; known since it was in hand.
    var messages: [Message] = []

    /// A small message. An object, so that it is not copied to be looked at.
    final class Message {
        let lane: Lane
        let isSend: Bool
        let signature: OperationSignature
        let algorithm: String

        init(lane: Lane, isSend: Bool, signature: OperationSignature, algorithm: String) {
            self.lane = lane
            self.isSend = isSend
            self.signature = signature
            self.algorithm = algorithm
        }

        /// What it came to, once it has been sent or received.
        func statistics(after duration: Duration) -> OperationStatistics {
            let sent = isSend ? signature.elementCount * signature.dataType.byteCount : 0
            return OperationStatistics(
                wireBytes: sent, elementBytes: sent, duration: duration, algorithm: algorithm)
        }
    }

    fileprivate init(
        _ outlines: [Outline], _ operations: [CollectiveOperation], _ requests: [OperationRequest]
    ) {
        self.outlines = outlines
        self.requests = requests
        algorithms = operations.map(\.algorithm)
        collectiveCount = UInt64(requests.count { $0.message == nil })
        timeouts = requests.map(\.timeout.clampedNanoseconds)
    }

    /// The request of one operation of the call, with its own memory.
    func request(_ index: Int, for operation: CollectiveOperation) -> OperationRequest {
        var request = requests[index]
        (request.input, request.output) = (operation.input?.baseAddress, operation.output.baseAddress)
        return request
    }

    // By address, since the operation would be copied to be looked at.
    fileprivate func isRepeated(at index: Int, by operation: UnsafePointer<CollectiveOperation>) -> Bool {
        outlines[index].isRepeated(by: operation)
            // Mostly neither has a name, and texts take long.
            && (operation.pointee.algorithm.name == nil
                ? algorithms[index].name == nil : algorithms[index] == operation.pointee.algorithm)
    }
}

/// What tells plain operations apart, beside their algorithms and where their memory is.
private struct Outline {
    let collective: Collective
    let dataType: DataType
    let op: ReductionOperator?
    let root: Rank?
    let inputCount: Int?
    let outputCount: Int
    let message: MessageRequest?
    let tag: UInt32
    let timeout: Duration?

    /// Nil if the operation is not a plain one.
    init?(_ operation: CollectiveOperation) {
        guard withUnsafePointer(to: operation, { Self.isPlain($0) }) else { return nil }
        collective = operation.collective
        dataType = operation.dataType
        op = operation.op
        root = operation.root
        inputCount = operation.input?.count
        outputCount = operation.output.count
        message = operation.message
        tag = operation.tag
        timeout = operation.timeout
    }

    func isRepeated(by operation: UnsafePointer<CollectiveOperation>) -> Bool {
        collective == operation.pointee.collective && outputCount == operation.pointee.output.count
            && inputCount == operation.pointee.input?.count && dataType == operation.pointee.dataType
            && op == operation.pointee.op && root == operation.pointee.root
            && message == operation.pointee.message && tag == operation.pointee.tag
            && timeout == operation.pointee.timeout && Self.isPlain(operation)
    }

    private static func isPlain(_ operation: UnsafePointer<CollectiveOperation>) -> Bool {
        operation.pointee.compression.method == .none && operation.pointee.feedback == nil
            && !operation.pointee.measuresError && operation.pointee.sizes == nil
            && operation.pointee.owners.isEmpty
    }
}

/// The last calls that were made, on any memory.
struct RecentCalls {
    private var calls: [RecentCall] = []

    /// As many are kept, and groups of as many operations.
    private static let most = 16
    private static let mostOperations = 8

    /// The same call as this one; nil if there is none, or if this one's memory cannot be right.
    ///
    /// What is found far behind is put in front, where it is found sooner.
    mutating func call(for group: UnsafeBufferPointer<CollectiveOperation>) -> RecentCall? {
        guard let first = group.baseAddress, group.count <= Self.mostOperations else { return nil }
        // Without a reference to each that is looked at.
        let found = calls.withUnsafeBufferPointer { calls in
            calls.firstIndex { call in
                guard call.outlines.count == group.count else { return false }
                var index = 0
                while index < group.count, call.isRepeated(at: index, by: first + index) { index += 1 }
                return index == group.count
            }
        }
        guard let found, !Self.overlap(group) else { return nil }
        let call = calls[found]
        if found > 1 {
            calls.remove(at: found)
            calls.insert(call, at: 0)
        }
        return call
    }

    /// Takes note of what was made of a call; nil if it is not of the kind that is kept.
    mutating func remember(_ group: [CollectiveOperation], _ requests: [OperationRequest]) -> RecentCall? {
        guard group.count <= Self.mostOperations else { return nil }
        let outlines = group.compactMap { Outline($0) }
        guard outlines.count == group.count else { return nil }
        let call = RecentCall(outlines, group, requests)
        if calls.count == Self.most { calls.removeLast() }
        calls.insert(call, at: 0)
        return call
    }

    /// Whether an operation writes what it, or another one of the group, uses.
    private static func overlap(_ group: UnsafeBufferPointer<CollectiveOperation>) -> Bool {
        for index in group.indices {
            if group[index].overlapsItself { return true }
            for other in group.indices where other != index {
                if group[index].output.overlaps(group[other].output)
                    || group[index].output.overlaps(group[other].input)
                {
                    return true
                }
            }
        }
        return false
    }
}

extension CollectiveOperation {
    fileprivate var overlapsItself: Bool { output.overlaps(input) }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func overlaps(_ other: UnsafeRawBufferPointer?) -> Bool {
        other.map { UnsafeRawBufferPointer(self).overlaps($0) } ?? false
    }

    fileprivate func overlaps(_ other: UnsafeMutableRawBufferPointer) -> Bool {
        UnsafeRawBufferPointer(self).overlaps(UnsafeRawBufferPointer(other))
    }
}
