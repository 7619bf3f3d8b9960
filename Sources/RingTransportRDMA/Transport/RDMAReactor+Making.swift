import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension RDMAReactor {
    /// A connection over an identifier that has led to a device. The receives are posted; the queue pair is not ready.
    func makeConnection(
        _ identifier: consuming ConnectionIdentifier, context: UInt64, shape: RingShape, path: PathSettings,
        inlineBytes: Int, expectingMessage: Bool
    ) throws(PartsFailure) -> RDMAConnection {
        guard let (device, _) = verbs.binding(of: identifier.handle) else {
            throw .system(SystemError("rdma_cm", ENODEV))
        }
        let domain = try PartsFailure.wrapping { () throws(SystemError) in try self.domain(of: device) }
        let parts = try ConnectionParts.make(
            verbs, events: events, domain: domain, identifier: identifier, shape: shape, path: path,
            inlineBytes: inlineBytes)
        do {
            return try RDMAConnection(
                verbs, context: context, parts: parts, shape: shape, regions: regions,
                expectingMessage: expectingMessage)
        } catch { throw .system(error) }
    }

    /// Takes note of a dial, whose events it gets from then on.
    func beginDial(communicator: UInt32) -> RDMADial {
        state.withLock { state in
            let dial = RDMADial(context: state.nextContext(), communicator: communicator)
            state.dials[dial.context] = dial
            return dial
        }
    }

    /// The dial is over, one way or the other.
    func endDial(_ dial: RDMADial) {
        state.withLock { $0.dials[dial.context] = nil }
        wakeUp.set()
    }
}
