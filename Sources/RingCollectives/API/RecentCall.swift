import RingCore
import RingSystem
import RingTransport

/// What was made of a communicator's last call: who makes the same call again and again, on other memory perhaps, has it
/// checked and planned once.
///
/// It is for plain calls: even shares, no compression, nothing that lives as long as the operation.
final class RecentCall: Sendable {
    private struct Memory {
        /// Nothing has been called yet.
        var isEmpty = true
        var operation = CollectiveOperation(
            .barrier, .uint8, output: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        var request = OperationRequest(
            signature: OperationSignature(
                collective: .barrier, dataType: .uint8, op: nil, elementCount: 0, root: nil,
                algorithm: AlgorithmCode(rawValue: 0)),
            algorithm: "", isInPlace: true, timeout: .zero)
    }

    // Not optional: what is in an optional is copied to be looked at.
    private let memory = Monitor(Memory())

    /// The request of the same call before, with this one's memory; nil if there is none.
    func request(for operation: CollectiveOperation) -> OperationRequest? {
        guard operation.isPlain else { return nil }
        let known = memory.withLock { memory -> OperationRequest? in
            guard !memory.isEmpty, memory.operation.isRepeated(by: operation) else { return nil }
            return memory.request
        }
        guard var request = known else { return nil }
        if let input = operation.input, input.overlaps(UnsafeRawBufferPointer(operation.output)) {
            return nil
        }
        (request.input, request.output) = (operation.input?.baseAddress, operation.output.baseAddress)
        return request
    }

    /// Takes note of what was made of a call.
    func remember(_ operation: CollectiveOperation, _ request: OperationRequest) {
        guard operation.isPlain else { return }
        memory.withLock { $0 = Memory(isEmpty: false, operation: operation, request: request) }
    }
}

extension CollectiveOperation {
    fileprivate var isPlain: Bool {
        compression == .none && feedback == nil && !measuresError && sizes == nil && message == nil
            && owners.isEmpty
    }

    /// Whether a plain operation is the same but for where its memory is.
    fileprivate func isRepeated(by other: CollectiveOperation) -> Bool {
        collective == other.collective && dataType == other.dataType && op == other.op && root == other.root
            && output.count == other.output.count && input?.count == other.input?.count
            && algorithm == other.algorithm && timeout == other.timeout
    }
}
