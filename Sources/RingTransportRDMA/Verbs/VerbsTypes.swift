/// What a verbs call has made: the system's pointer, or a software device's number. Only its maker looks behind it.
package struct VerbsHandle: Hashable, Sendable {
    package let bits: UInt

    package init(bits: UInt) {
        self.bits = bits
    }
}

/// An RDMA device of this host.
package struct VerbsDevice: Hashable, Sendable {
    /// Its name: `mlx5_0`, `rxe0`.
    package var name: String
    package var ports: [VerbsPort]

    package init(name: String, ports: [VerbsPort]) {
        self.name = name
        self.ports = ports
    }
}

/// A port of an RDMA device.
package struct VerbsPort: Hashable, Sendable {
    package enum LinkLayer: String, Sendable {
        case infiniBand = "InfiniBand"
        case ethernet = "Ethernet"
    }

    package var number: UInt8
    /// As the standard numbers it; see ``isActive``.
    package var state: UInt8
    package var linkLayer: LinkLayer
    /// The MTU in use, in bytes.
    package var activeMTU: Int
    /// The largest MTU, in bytes.
    package var maximumMTU: Int
    /// The port's addresses, by their place in its table.
    package var gids: [VerbsGID]

    package init(
        number: UInt8, state: UInt8, linkLayer: LinkLayer, activeMTU: Int, maximumMTU: Int,
        gids: [VerbsGID] = []
    ) {
        self.number = number
        self.state = state
        self.linkLayer = linkLayer
        self.activeMTU = activeMTU
        self.maximumMTU = maximumMTU
        self.gids = gids
    }

    /// Whether data can flow.
    package var isActive: Bool { state == 4 }

    /// The state in the standard's words.
    package var stateText: String {
        switch state {
        case 1: "down"
        case 2: "initializing"
        case 3: "armed"
        case 4: "active"
        case 5: "active, deferred"
        default: "unknown"
        }
    }
}

/// An address of a port.
package struct VerbsGID: Hashable, Sendable {
    package var index: Int
    /// 16 bytes, in network order.
    package var bytes: [UInt8]
    /// How packets carry it: `InfiniBand`, `RoCE v1`, `RoCE v2`.
    package var type: String

    package init(index: Int, bytes: [UInt8], type: String) {
        self.index = index
        self.bytes = bytes
        self.type = type
    }
}

/// What has happened to a connection, or to one that is being made.
package struct ConnectionEvent: Hashable, Sendable {
    /// The kinds, as librdmacm numbers them.
    package enum Kind: Int32, Sendable {
        case addressResolved = 0
        case addressFailed = 1
        case routeResolved = 2
        case routeFailed = 3
        case request = 4
        case response = 5
        case connectFailed = 6
        case unreachable = 7
        case rejected = 8
        case established = 9
        case disconnected = 10
        case deviceRemoved = 11
        case addressChanged = 14
        case timeWaitOver = 15
    }

    package var kind: Kind
    /// 0, an error's negative number, or why the peer has rejected the connection.
    package var status: Int32
    /// The identifier's context; with a request, the listener's.
    package var context: UInt64
    /// With a request, the identifier that it has made.
    package var request: VerbsHandle?
    /// What the peer has sent along; it may be followed by zeros.
    package var data: [UInt8]

    package init(
        kind: Kind, status: Int32 = 0, context: UInt64, request: VerbsHandle? = nil, data: [UInt8] = []
    ) {
        self.kind = kind
        self.status = status
        self.context = context
        self.request = request
        self.data = data
    }
}

/// What an end says of itself when a connection is made.
package struct ConnectionParameters: Hashable, Sendable {
    /// For the peer; at most 56 bytes in a request, 196 in an answer.
    package var data: [UInt8]
    /// How often a packet is sent again that is not acknowledged: 0 to 7.
    package var retryCount: UInt8
    /// How often a message is sent again that the peer has posted no receive for: 0 to 7, 7 being without end.
    package var receiverRetryCount: UInt8
    /// How many reads each way may be under way, as far as both devices go.
    package var readDepth: UInt8 = 16
    /// The number of this end's queue pair.
    package var queueNumber: UInt32

    package init(data: [UInt8], retryCount: UInt8, receiverRetryCount: UInt8, queueNumber: UInt32) {
        self.data = data
        self.retryCount = retryCount
        self.receiverRetryCount = receiverRetryCount
        self.queueNumber = queueNumber
    }
}

/// Who may use registered memory, beside this end's own requests.
package enum MemoryAccess: Int32, Sendable {
    case local = 0
    /// The peer may write to it.
    case remoteWrite = 1
    /// The peer may read it.
    case remoteRead = 2
}

/// Memory that a device knows.
package struct RegisteredMemory: Hashable, Sendable {
    package var handle: VerbsHandle
    /// What this end's requests name it by.
    package var localKey: UInt32
    /// What the peer's requests name it by.
    package var remoteKey: UInt32

    package init(handle: VerbsHandle, localKey: UInt32, remoteKey: UInt32) {
        self.handle = handle
        self.localKey = localKey
        self.remoteKey = remoteKey
    }
}

/// A request that is over.
package struct Completion: Hashable, Sendable {
    /// The send's number; receives have none.
    package var number: UInt64
    /// As libibverbs numbers it: see ``CompletionStatus`` and ``Verbs/text(ofStatus:)``.
    package var status: Int32
    /// How many bytes were received.
    package var length: UInt32
    /// What the sender gave along.
    package var immediate: UInt32
    package var isReceive: Bool
    package var hasImmediate: Bool

    package init(
        number: UInt64 = 0, status: Int32 = CompletionStatus.success, length: UInt32 = 0,
        immediate: UInt32 = 0,
        isReceive: Bool = false, hasImmediate: Bool = false
    ) {
        self.number = number
        self.status = status
        self.length = length
        self.immediate = immediate
        self.isReceive = isReceive
        self.hasImmediate = hasImmediate
    }
}

/// How a request can end, of what libibverbs knows.
package enum CompletionStatus {
    package static let success: Int32 = 0
    package static let localProtection: Int32 = 4
    /// The queue pair had failed, or was taken out of use, before the request had its turn.
    package static let flushed: Int32 = 5
    package static let remoteAccess: Int32 = 10
    /// The peer does not acknowledge.
    package static let retriesExceeded: Int32 = 12
    package static let receiverNotReady: Int32 = 13
}

/// How much a queue pair is to hold.
package struct QueueSizes: Hashable, Sendable {
    package var sends: Int
    package var receives: Int
    /// How many bytes a send may bring along in the request itself.
    package var inlineBytes: Int

    package init(sends: Int, receives: Int, inlineBytes: Int) {
        self.sends = sends
        self.receives = receives
        self.inlineBytes = inlineBytes
    }
}

/// A queue pair that has been made.
package struct CreatedQueuePair: Hashable, Sendable {
    package var handle: VerbsHandle
    /// By which the peer addresses it.
    package var number: UInt32
    /// How many bytes a send may bring along.
    package var inlineBytes: Int

    package init(handle: VerbsHandle, number: UInt32, inlineBytes: Int) {
        self.handle = handle
        self.number = number
        self.inlineBytes = inlineBytes
    }
}

/// The states that a queue pair goes through before it sends.
package enum QueuePairState: Int32, Sendable {
    case initialized = 1
    case readyToReceive = 2
    case readyToSend = 3
}

/// What is set on the way to the peer; nil leaves it as the connection has it.
package struct PathSettings: Hashable, Sendable {
    /// The largest packet's payload in bytes, if less than the path's.
    package var mtu: Int?
    package var trafficClass: UInt8?
    package var serviceLevel: UInt8?
    package var retryCount: UInt8?
    package var receiverRetryCount: UInt8?

    package init() {}
}

/// What the ends of a connection have agreed on.
package struct PathState: Hashable, Sendable {
    /// The largest packet's payload in bytes; 0 before it is known.
    package var mtu: Int
    /// When the pair becomes ready to receive: how many reads the peer may have under way here; when it becomes ready to
    /// send: how many this end may there.
    package var readDepth: Int

    package init(mtu: Int, readDepth: Int) {
        self.mtu = mtu
        self.readDepth = readDepth
    }
}

/// A request to send, or to write to the peer's memory or read it.
package struct SendRequest {
    package enum Kind: UInt8, Sendable {
        /// Into the peer's next receive.
        case send = 0
        /// Into the peer's memory, without its notice.
        case write = 1
        /// Into the peer's memory, ending its next receive.
        case writeWithImmediate = 2
        /// From the peer's memory, without its notice.
        case read = 3
    }

    package var kind: Kind
    /// Comes back with its completion. Odd, so that it tells sends from receives.
    package var number: UInt64
    /// The bytes, of a read their destination; valid until the request has completed, or only now if ``isInline``.
    package var bytes: UnsafeRawBufferPointer
    package var localKey: UInt32
    package var remoteAddress: UInt64
    package var remoteKey: UInt32
    package var immediate: UInt32
    /// Whether it completes by itself.
    package var isSignaled: Bool
    /// Whether the bytes are taken with the request.
    package var isInline: Bool
    /// Whether a peer that sleeps is to be woken.
    package var isSolicited: Bool

    package init(
        kind: Kind, number: UInt64,
        bytes: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        localKey: UInt32 = 0, remoteAddress: UInt64 = 0, remoteKey: UInt32 = 0, immediate: UInt32 = 0,
        isSignaled: Bool, isInline: Bool = false, isSolicited: Bool = true
    ) {
        self.kind = kind
        self.number = number
        self.bytes = bytes
        self.localKey = localKey
        self.remoteAddress = remoteAddress
        self.remoteKey = remoteKey
        self.immediate = immediate
        self.isSignaled = isSignaled
        self.isInline = isInline
        self.isSolicited = isSolicited
    }
}
