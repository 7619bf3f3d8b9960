import RingTransport

extension Runner {
    /// Has the transport know an operation's memory until the operation ends, as far as it can.
    func lease(_ operation: inout ActiveOperation, from transport: any Transport) {
        operation.lendable = operation.request.registered
        if operation.request.asksForLease {
            let (input, output) = Self.memory(operation.request, operation.program)
            for (buffer, addresses) in [(BufferSet.input, input), (.output, output)] {
                guard !operation.lendable.contains(buffer), !addresses.isEmpty,
                    let lease = transport.lease(
                        UnsafeRawBufferPointer(
                            start: UnsafeRawPointer(bitPattern: addresses.lowerBound), count: addresses.count)
                    )
                else { continue }
                operation.leases.append(lease)
                operation.lendable.insert(buffer)
            }
        }
        guard !operation.lendable.isEmpty else { return }
        scratch.register(with: transport)
        operation.lendable.insert(.scratch)
    }
}
