import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A listener on one address.
final class RDMAListener: @unchecked Sendable {
    // Not changed until the last reference goes.
    private var identifier: ConnectionIdentifier?
    private let events: SharedEventChannel
    /// What requests to it carry.
    let context: UInt64
    /// Where it listens.
    let address: SocketAddress
    /// The device and port: `mlx5_0:1`.
    let device: String
    let deviceHandle: VerbsHandle

    init(
        _ identifier: consuming ConnectionIdentifier, events: SharedEventChannel, context: UInt64,
        address: SocketAddress, device: String,
        deviceHandle: VerbsHandle
    ) {
        self.identifier = consume identifier
        self.events = events
        self.context = context
        self.address = address
        self.device = device
        self.deviceHandle = deviceHandle
    }

    deinit {
        // Before the channel of its events.
        identifier = nil
    }
}

/// Which of this host's addresses the transport listens on: those that belong to an active port of an RDMA device.
struct RDMAListening {
    let reactor: RDMAReactor
    let options: RDMAOptions
    let rank: Rank
    /// The host's interfaces that are up.
    let interfaces: [NetworkInterface]

    /// Why an address is not listened on.
    private enum Obstacle: Error {
        /// It belongs to no device.
        case noDevice
        case otherDevice(String)
        case inactive(String, state: String)
        case system(SystemError)

        var reason: String {
            switch self {
            case .noDevice: "it has no RDMA device"
            case .otherDevice(let name): "it belongs to the RDMA device \(name)"
            case .inactive(let name, let state): "its RDMA device \(name) is \(state)"
            case .system(let error): "\(error)"
            }
        }
    }

    /// Listens; at least on one address.
    func listeners() throws -> [RDMAListener] {
        if options.interfaces.isEmpty { return [try automatic()] }
        var addresses: [SocketAddress] = []
        for name in options.interfaces {
            let address = try InterfaceSelection.address(matching: name, among: interfaces, rank: rank)
            if !addresses.contains(address) { addresses.append(address) }
        }
        var listeners: [RDMAListener] = []
        for address in addresses {
            do throws(Obstacle) {
                listeners.append(try listen(on: address))
            } catch {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(rank) cannot listen for RDMA on \(address.hostText): \(error.reason); 'ringbench "
                        + "devices' shows what there is", peer: rank)
            }
        }
        return listeners
    }

    /// The address that leads where every rank must get to, else the first that will do.
    private func automatic() throws(CollectiveError) -> RDMAListener {
        let preferred = options.routeHint.flatMap { InterfaceSelection.sourceAddress(towards: $0) }
        var candidates = interfaces.filter { !$0.isLoopback }.map(\.address)
            .sorted { InterfaceSelection.preference($0) < InterfaceSelection.preference($1) }
        if let preferred, candidates.contains(preferred) { candidates.insert(preferred, at: 0) }
        var obstacles: [String] = []
        for address in candidates {
            do throws(Obstacle) {
                return try listen(on: address)
            } catch .noDevice {
                continue
            } catch {
                obstacles.append("\(address.hostText): \(error.reason)")
            }
        }
        guard !obstacles.isEmpty else { throw RDMAErrors.noDevice(rank: rank) }
        throw CollectiveError(
            .unsupported,
            "rank \(rank) has no RDMA device to use: \(obstacles.joined(separator: "; "))", peer: rank)
    }

    private func listen(on address: SocketAddress) throws(Obstacle) -> RDMAListener {
        var last = SystemError("rdma_bind_addr", EADDRINUSE)
        for port in options.portRange ?? 0...0 {
            do {
                return try listen(exactlyAt: address.withPort(port))
            } catch .system(let error) where error.number == EADDRINUSE {
                last = error
            }
        }
        throw .system(last)
    }

    private func listen(exactlyAt address: SocketAddress) throws(Obstacle) -> RDMAListener {
        let verbs = reactor.verbs
        let context = reactor.nextContext()
        let identifier = try call { () throws(SystemError) in
            try ConnectionIdentifier(verbs, channel: reactor.events.channel.handle, context: context)
        }
        do {
            try verbs.bind(identifier.handle, to: address)
        } catch {
            throw [ENODEV, EADDRNOTAVAIL, ENXIO].contains(error.number) ? .noDevice : .system(error)
        }
        guard let (device, number) = verbs.binding(of: identifier.handle) else { throw .noDevice }
        let name = verbs.name(of: device)
        let port = try call { () throws(SystemError) in try verbs.port(number, of: device) }
        if let wanted = options.device, wanted != name, wanted != "\(name):\(number)" {
            throw .otherDevice("\(name):\(number)")
        }
        guard port.isActive else { throw .inactive("\(name):\(number)", state: port.stateText) }
        let handle = identifier.handle
        try call { () throws(SystemError) in try verbs.listen(handle, backlog: 1024) }
        return RDMAListener(
            identifier, events: reactor.events, context: context,
            address: verbs.localAddress(of: handle) ?? address, device: "\(name):\(number)",
            deviceHandle: device)
    }

    private func call<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(Obstacle) -> Value {
        do {
            return try body()
        } catch { throw .system(error) }
    }
}
