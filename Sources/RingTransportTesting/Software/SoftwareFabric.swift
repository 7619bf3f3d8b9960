import RingCore
package import RingSystem
package import RingTransportRDMA

/// RDMA devices in the memory of this process, and the network between them: for tests without hardware.
///
/// Each rank has ``SoftwareVerbs`` of its own. A write is a copy between regions that both sides have registered, done
/// when it is posted; keys, bounds, room in queues and the order in which things are destroyed are checked as hardware
/// and kernel do, and what breaks the rules that the transport must keep is listed in ``violations``.
package final class SoftwareFabric: Sendable {
    let state = Monitor(State())

    /// A host's device with its port and the addresses that lead to it.
    package struct Device: Sendable {
        package var name: String
        package var isActive: Bool
        package var addresses: [SocketAddress]

        package init(name: String, isActive: Bool = true, addresses: [SocketAddress]) {
            self.name = name
            self.isActive = isActive
            self.addresses = addresses
        }
    }

    /// A network of these devices, all of them on all hosts; by default one that has an IPv4 address.
    package init(devices: [Device] = [SoftwareFabric.plain]) {
        state.withLock { $0.devices = devices }
    }

    /// A device with one address.
    package static let plain = Device(
        name: "soft0", addresses: [SocketAddress(host: [10, 77, 0, 1], port: 0)])

    /// The calls of one more rank.
    package func verbs() -> SoftwareVerbs {
        SoftwareVerbs(fabric: self, number: state.withLock { $0.nextNumber() })
    }

    /// The network interfaces that the addresses belong to.
    package var interfaces: [NetworkInterface] {
        state.withLock { state in
            state.devices.flatMap { device in
                device.addresses.map {
                    NetworkInterface(name: device.name, address: $0, isLoopback: false)
                }
            }
        }
    }

    /// Sets how many reads each way new connections may have under way: 0 for devices that cannot read.
    package func setReadDepth(_ depth: Int) {
        state.withLock { $0.readDepth = depth }
    }

    /// Keeps requests of that kind under way, and those posted after them on the same queue pair, until ``letGo()``.
    package func hold(_ kind: SendRequest.Kind) {
        state.withLock { _ = $0.held.insert(kind) }
    }

    /// Carries out what is held, and holds nothing from now on.
    package func letGo() {
        state.withLock { $0.letGo() }
    }

    /// How many requests are held, with those behind them.
    package var heldCount: Int { state.withLock { $0.pairs.values.reduce(0) { $0 + $1.underWay.count } } }

    /// How the transport has broken the rules.
    package var violations: [String] { state.withLock { $0.violations } }

    /// What exists, by kind, of one rank or of all.
    package func liveObjects(of verbs: SoftwareVerbs? = nil) -> [String: Int] {
        state.withLock { state in
            var counts: [String: Int] = [:]
            func count(_ name: String, _ owners: some Sequence<Int>) {
                let number = owners.count { verbs == nil || $0 == verbs?.number }
                if number > 0 { counts[name] = number }
            }
            count("event channels", state.eventChannels.values.map(\.owner))
            count("identifiers", state.identifiers.values.map(\.owner))
            count("domains", state.domains.values.map(\.owner))
            count("memory regions", state.memories.values.map(\.owner))
            count("completion channels", state.completionChannels.values.map(\.owner))
            count("completion queues", state.completionQueues.values.map(\.owner))
            count("queue pairs", state.pairs.values.map(\.owner))
            return counts
        }
    }

    /// Everything that there is, by number. Objects are only touched under the lock.
    struct State {
        private var lastNumber = 0
        var devices: [Device] = []
        var eventChannels: [UInt: EventQueue] = [:]
        var identifiers: [UInt: Identifier] = [:]
        var listeners: [SocketAddress: UInt] = [:]
        var domains: [UInt: Domain] = [:]
        var memories: [UInt: Memory] = [:]
        var completionChannels: [UInt: CompletionEvents] = [:]
        var completionQueues: [UInt: Completions] = [:]
        var pairs: [UInt: Pair] = [:]
        var violations: [String] = []
        /// How many reads each way a connection may have under way.
        var readDepth = 16
        /// The kinds of requests that stay under way until they are let go.
        var held: Set<SendRequest.Kind> = []
        /// Ranks whose packets get lost.
        var unreachable: Set<Int> = []

        mutating func nextNumber() -> Int {
            lastNumber += 1
            return lastNumber
        }

        mutating func nextHandle() -> VerbsHandle { VerbsHandle(bits: UInt(nextNumber())) }
    }

    struct EventQueue {
        let owner: Int
        let wakeUp: WakeUp
        var events: [ConnectionEvent] = []
    }

    struct Identifier {
        enum Phase {
            case idle
            case listening
            case requesting
            /// A request that has come and has not been answered.
            case requested
            case answered
            case connected
            case over
        }

        let owner: Int
        let channel: UInt
        var context: UInt64
        var phase = Phase.idle
        var device: Int?
        var address: SocketAddress?
        var target: SocketAddress?
        /// The other end, while there is one.
        var peer: UInt?
        /// The other end's queue pair, once it has said.
        var peerQueue: UInt32?
    }

    struct Domain {
        let owner: Int
        let device: Int
    }

    struct Memory {
        let owner: Int
        let domain: UInt
        let range: Range<UInt>
        let access: MemoryAccess
    }

    struct CompletionEvents {
        let owner: Int
        let wakeUp: WakeUp
        var count = 0
    }

    struct Completions {
        /// Which completion the channel tells of next.
        enum Notice {
            case ofNone
            case ofSolicited
            case ofAll
        }

        let owner: Int
        let channel: UInt
        let capacity: Int
        var entries: [Completion] = []
        var notice = Notice.ofNone
    }

    struct Pair {
        enum Phase: Int {
            case new
            case initialized
            case readyToReceive
            case readyToSend
            case failed
        }

        let owner: Int
        let domain: UInt
        let completions: UInt
        let sizes: QueueSizes
        var phase = Phase.new
        var peer: UInt?
        /// The posted receives: their room, if they have any.
        var receives: [Range<UInt>?] = []
        /// How many sends have been posted, and how many of those are known to be over.
        var posted = 0
        var retired = 0
        /// The signaled ones under way: their numbers, and which posts they are.
        var signaled: [(number: UInt64, post: Int)] = []
        /// Requests that are held, and those posted after them, in order.
        var underWay: [SendRequest] = []
    }
}

extension SoftwareFabric.State {
    /// Adds an event to a channel.
    mutating func tell(_ identifier: UInt, _ event: ConnectionEvent) {
        guard let channel = identifiers[identifier]?.channel else { return }
        eventChannels[channel]?.events.append(event)
        eventChannels[channel]?.wakeUp.set()
    }

    /// Adds a completion to a queue. Of sends that succeed nobody is told who waits for solicited ones.
    mutating func complete(_ queue: UInt, _ completion: Completion, isSolicited: Bool = false) {
        guard let completions = completionQueues[queue] else { return }
        if completions.entries.count >= completions.capacity {
            violations.append("a completion queue of \(completions.capacity) entries overflowed")
        }
        completionQueues[queue]!.entries.append(completion)
        let isUrgent = isSolicited || completion.status != CompletionStatus.success
        guard completions.notice == .ofAll || (completions.notice == .ofSolicited && isUrgent) else { return }
        completionQueues[queue]!.notice = .ofNone
        completionChannels[completions.channel]?.count += 1
        completionChannels[completions.channel]?.wakeUp.set()
    }

    /// Takes a queue pair out of use: what is posted is flushed.
    mutating func fail(_ pair: UInt) {
        guard let failing = pairs[pair], failing.phase != .failed else { return }
        pairs[pair]!.phase = .failed
        pairs[pair]!.receives = []
        pairs[pair]!.underWay = []
        for request in failing.underWay {
            complete(
                failing.completions, Completion(number: request.number, status: CompletionStatus.flushed))
        }
        for _ in failing.receives {
            complete(
                failing.completions, Completion(status: CompletionStatus.flushed, isReceive: true))
        }
    }

    /// Ends a connection: the other end is told, and this one if it is to be.
    mutating func disconnect(_ identifier: UInt, tellingOwn: Bool) {
        guard let own = identifiers[identifier], own.phase == .connected || own.phase == .answered,
            let peer = own.peer
        else { return }
        identifiers[identifier]!.phase = .over
        if tellingOwn { tell(identifier, ConnectionEvent(kind: .disconnected, context: own.context)) }
        guard let other = identifiers[peer], other.phase != .over else { return }
        identifiers[peer]!.phase = .over
        tell(peer, ConnectionEvent(kind: .disconnected, context: other.context))
    }

    /// Forgets an identifier; who waits for it is told.
    mutating func forget(_ identifier: UInt) {
        guard let own = identifiers[identifier] else { return }
        switch own.phase {
        case .listening:
            listeners = listeners.filter { $0.value != identifier }
            // Requests that nobody has taken are rejected.
            let requests = eventChannels[own.channel]?.events.filter {
                $0.kind == .request && $0.context == own.context
            }
            for request in requests ?? [] { if let handle = request.request { forget(handle.bits) } }
            eventChannels[own.channel]?.events.removeAll { $0.kind == .request && $0.context == own.context }
        case .requested:
            if let peer = own.peer, let other = identifiers[peer] {
                tell(peer, ConnectionEvent(kind: .rejected, status: 28, context: other.context))
                identifiers[peer]!.phase = .over
            }
        default: disconnect(identifier, tellingOwn: false)
        }
        if own.phase != .listening {
            eventChannels[own.channel]?.events.removeAll { $0.kind != .request && $0.context == own.context }
        }
        identifiers[identifier] = nil
    }
}
