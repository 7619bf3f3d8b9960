import RingCore
import RingSystem

/// What was made of a communicator's last call: who makes the same call again and again, on other memory perhaps, has it
/// checked and planned once.
///
/// It is for plain calls: even shares, no compression, nothing that lives as long as the operation.
final class RecentCall: Sendable {
    private final class Memory: Sendable {
        let operation: CollectiveOperation
        let request: OperationRequest

        init(_ operation: CollectiveOperation, _ request: OperationRequest) {
            (self.operation, self.request) = (operation, request)
        }

        /// Whether a plain operation is the same but for where its memory is.
        func isRepeated(by other: CollectiveOperation) -> Bool {
            operation.collective == other.collective && operation.dataType == other.dataType
                && operation.op == other.op && operation.root == other.root
                && operation.output.count == other.output.count
                && operation.input?.count == other.input?.count
                && operation.algorithm == other.algorithm && operation.timeout == other.timeout
        }
    }

    private let memory = Monitor<Memory?>(nil)

    /// The request of the same call before, with this one's memory; nil if there is none.
    func request(for operation: CollectiveOperation) -> OperationRequest? {
        guard operation.isPlain, let last = memory.withLock({ $0 }), last.isRepeated(by: operation) else {
            return nil
        }
        if let input = operation.input, input.overlaps(UnsafeRawBufferPointer(operation.output)) {
            return nil
        }
        var request = last.request
        (request.input, request.output) = (operation.input?.baseAddress, operation.output.baseAddress)
        return request
    }

    /// Takes note of what was made of a call.
    func remember(_ operation: CollectiveOperation, _ request: OperationRequest) {
        guard operation.isPlain else { return }
        let new = Memory(operation, request)
        memory.withLock { $0 = new }
    }
}

extension CollectiveOperation {
    fileprivate var isPlain: Bool {
        compression == .none && feedback == nil && !measuresError && sizes == nil && message == nil
            && owners.isEmpty
    }
}
