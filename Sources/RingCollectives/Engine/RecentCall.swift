import RingCore
import RingTransport

/// A call that was made before, of one operation or of a group, with what was made of it: who makes the same call again,
/// on other memory perhaps, has it checked, planned and taken in hand once.
///
/// It is for plain operations: even shares or messages, no compression, nothing that lives as long as the operation.
final class RecentCall: @unchecked Sendable {
    // What changes is used by whoever has the turn to drive the engine's runner.

    fileprivate let outlines: UnsafeMutableBufferPointer<Outline>
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
        let link: any Link
        let isSend: Bool
        /// Of its only frame.
        let header: RepeatedHeader
        private let byteCount: Int
        private let algorithm: String

        init(lane: Lane, isSend: Bool, header: FrameHeader, algorithm: String) {
            self.lane = lane
            link = lane.link
            self.isSend = isSend
            self.header = RepeatedHeader(header)
            byteCount = Int(header.length)
            self.algorithm = algorithm
        }

        /// What it came to, once it has been sent or received.
        func statistics(after duration: Duration) -> OperationStatistics {
            let sent = isSend ? byteCount : 0
            return OperationStatistics(
                wireBytes: sent, elementBytes: sent, duration: duration, algorithm: algorithm)
        }
    }

    fileprivate init(
        _ outlines: [Outline], _ requests: [OperationRequest]
    ) {
        self.outlines = .allocate(capacity: outlines.count)
        _ = self.outlines.initialize(fromContentsOf: outlines)
        self.requests = requests
        collectiveCount = UInt64(requests.count { $0.message == nil })
        timeouts = requests.map(\.timeout.clampedNanoseconds)
    }

    /// The request of one operation of the call, with its own memory.
    func request(_ index: Int, for operation: CollectiveOperation) -> OperationRequest {
        var request = requests[index]
        (request.input, request.output) = (operation.input?.baseAddress, operation.output.baseAddress)
        return request
    }

    deinit {
        outlines.deinitialize()
        outlines.deallocate()
    }
}

/// What tells plain operations apart, beside where their memory is.
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
    let algorithm: Algorithm

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
        algorithm = operation.algorithm
    }

    /// Whether an operation is the same again. By addresses, since both would be copied to be looked at.
    @inline(__always)
    static func of(
        _ outline: UnsafePointer<Outline>, isRepeatedBy operation: UnsafePointer<CollectiveOperation>
    ) -> Bool {
        outline.pointee.collective == operation.pointee.collective
            && outline.pointee.outputCount == operation.pointee.output.count
            && outline.pointee.inputCount == operation.pointee.input?.count
            && outline.pointee.dataType == operation.pointee.dataType
            && outline.pointee.op == operation.pointee.op && outline.pointee.root == operation.pointee.root
            && outline.pointee.message == operation.pointee.message
            && outline.pointee.tag == operation.pointee.tag
            && outline.pointee.timeout == operation.pointee.timeout && isPlain(operation)
            // Mostly neither has a name, and texts take long.
            && (operation.pointee.algorithm.name == nil
                ? outline.pointee.algorithm.name == nil
                : outline.pointee.algorithm == operation.pointee.algorithm)
    }

    private static func isPlain(_ operation: UnsafePointer<CollectiveOperation>) -> Bool {
        operation.pointee.compression.method == .none && operation.pointee.feedback == nil
            && !operation.pointee.measuresError && operation.pointee.sizes == nil
            && operation.pointee.owners.isEmpty
    }
}

/// The last calls that were made, on any memory.
struct RecentCalls {
    private var entries: [Entry] = []

    private struct Entry {
        let call: RecentCall
        /// The call's, to be looked at without a reference to it.
        let outlines: UnsafeMutableBufferPointer<Outline>
    }

    /// As many are kept, and groups of as many operations.
    private static let most = 16
    private static let mostOperations = 8

    /// The same call as this one; nil if there is none, or if this one's memory cannot be right.
    ///
    /// What is found far behind is put in front, where it is found sooner.
    @inline(__always)
    mutating func call(for group: UnsafeBufferPointer<CollectiveOperation>) -> RecentCall? {
        guard let first = group.baseAddress, group.count <= Self.mostOperations else { return nil }
        var place = 0
        while place < entries.count {
            let outlines = entries[place].outlines
            if outlines.count == group.count, Self.are(outlines, repeatedBy: first) {
                guard !Self.overlap(group) else { return nil }
                let call = entries[place].call
                if place > 1 { entries.insert(entries.remove(at: place), at: 0) }
                return call
            }
            place += 1
        }
        return nil
    }

    @inline(__always)
    private static func are(
        _ outlines: UnsafeMutableBufferPointer<Outline>, repeatedBy first: UnsafePointer<CollectiveOperation>
    ) -> Bool {
        guard let start = outlines.baseAddress else { return true }
        var index = 0
        while index < outlines.count, Outline.of(start + index, isRepeatedBy: first + index) { index += 1 }
        return index == outlines.count
    }

    /// Takes note of what was made of a call; nil if it is not of the kind that is kept.
    mutating func remember(_ group: [CollectiveOperation], _ requests: [OperationRequest]) -> RecentCall? {
        guard group.count <= Self.mostOperations else { return nil }
        let outlines = group.compactMap { Outline($0) }
        guard outlines.count == group.count else { return nil }
        let call = RecentCall(outlines, requests)
        if entries.count == Self.most { entries.removeLast() }
        entries.insert(Entry(call: call, outlines: call.outlines), at: 0)
        return call
    }

    /// Whether an operation writes what it, or another one of the group, uses.
    @inline(__always)
    private static func overlap(_ group: UnsafeBufferPointer<CollectiveOperation>) -> Bool {
        for index in group.indices {
            if let input = group[index].input, group[index].output.overlaps(input) { return true }
            for other in group.indices where other != index {
                if group[index].output.overlaps(group[other].output) { return true }
                if let input = group[other].input, group[index].output.overlaps(input) { return true }
            }
        }
        return false
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func overlaps(_ other: UnsafeRawBufferPointer) -> Bool {
        UnsafeRawBufferPointer(self).overlaps(other)
    }

    fileprivate func overlaps(_ other: UnsafeMutableRawBufferPointer) -> Bool {
        UnsafeRawBufferPointer(self).overlaps(UnsafeRawBufferPointer(other))
    }
}
