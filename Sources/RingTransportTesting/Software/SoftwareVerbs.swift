package import RingSystem
package import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The verbs calls of one rank on a ``SoftwareFabric``. Any of them can be made to fail.
package final class SoftwareVerbs: Verbs {
    /// The calls that can fail.
    package enum Call: String, CaseIterable, Sendable {
        case devices, port
        case createEventChannel, nextEvent, createIdentifier, setTrafficClass, bind, listen
        case resolveAddress, resolveRoute, connect, accept, reject, establish, disconnect
        case createDomain, registerMemory
        case createCompletionChannel, takeCompletionEvent, createCompletionQueue, requestNotification, poll
        case createQueuePair, advance, fail, postReceives, postSend
    }

    let fabric: SoftwareFabric
    let number: Int
    private let faults = Monitor(Faults())

    private struct Faults {
        var counts: [Call: Int] = [:]
        var failing: [Call: (at: Int, number: Int32)] = [:]
        var outcomes: [Call: ConnectionEvent.Kind] = [:]
    }

    init(fabric: SoftwareFabric, number: Int) {
        self.fabric = fabric
        self.number = number
    }

    /// Has the call fail, once, with an error's number: the next one, or the one after so many that succeed.
    package func fail(_ call: Call, after count: Int = 0, with number: Int32) {
        faults.withLock { $0.failing[call] = ($0.counts[call, default: 0] + count, number) }
    }

    /// Has what a call begins, `resolveAddress` or `resolveRoute`, end with that event.
    package func end(_ call: Call, with kind: ConnectionEvent.Kind) {
        faults.withLock { $0.outcomes[call] = kind }
    }

    /// How often a call has been made.
    package func count(_ call: Call) -> Int { faults.withLock { $0.counts[call, default: 0] } }

    /// Counts a call, and throws if it is to fail.
    func enter(_ call: Call) throws(SystemError) {
        let failure: Int32? = faults.withLock { faults in
            let index = faults.counts[call, default: 0]
            faults.counts[call] = index + 1
            guard let failing = faults.failing[call], failing.at == index else { return nil }
            faults.failing[call] = nil
            return failing.number
        }
        if let failure { throw SystemError(call.rawValue, failure) }
    }

    func outcome(_ call: Call) -> ConnectionEvent.Kind? { faults.withLock { $0.outcomes[call] } }

    /// The rank's process ends, as if killed: its connections and queue pairs go.
    package func die() {
        fabric.state.withLock { state in
            for pair in state.pairs.filter({ $0.value.owner == number }).keys { state.fail(pair) }
            for identifier in state.identifiers.filter({ $0.value.owner == number }).keys {
                if state.identifiers[identifier]?.phase == .listening {
                    state.forget(identifier)
                } else {
                    state.disconnect(identifier, tellingOwn: false)
                }
            }
        }
    }

    /// The rank's packets are lost from now on, both ways.
    package func cutOff() {
        fabric.state.withLock { state in _ = state.unreachable.insert(number) }
    }

    /// The rank's device goes.
    package func removeDevice() {
        fabric.state.withLock { state in
            for (identifier, value) in state.identifiers where value.owner == number {
                state.tell(identifier, ConnectionEvent(kind: .deviceRemoved, context: value.context))
            }
        }
    }

    // MARK: Devices

    package func devices() throws(SystemError) -> [VerbsDevice] {
        try enter(.devices)
        return fabric.state.withLock { state in
            state.devices.map { VerbsDevice(name: $0.name, ports: [Self.port($0)]) }
        }
    }

    package func port(_ number: UInt8, of device: VerbsHandle) throws(SystemError) -> VerbsPort {
        try enter(.port)
        return fabric.state.withLock { Self.port($0.devices[Self.index(of: device)]) }
    }

    package func name(of device: VerbsHandle) -> String {
        fabric.state.withLock { $0.devices[Self.index(of: device)].name }
    }

    private static func port(_ device: SoftwareFabric.Device) -> VerbsPort {
        VerbsPort(
            number: 1, state: device.isActive ? 4 : 1, linkLayer: .ethernet, activeMTU: 1024,
            maximumMTU: 4096,
            gids: device.addresses.enumerated().map {
                VerbsGID(
                    index: $0.offset,
                    bytes: $0.element.isIPv6
                        ? $0.element.host
                        : [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + $0.element.host,
                    type: "RoCE v2")
            })
    }

    static func handle(ofDevice index: Int) -> VerbsHandle { VerbsHandle(bits: UInt(index + 1)) }

    static func index(of device: VerbsHandle) -> Int { Int(device.bits) - 1 }
}
