import RingSystem

/// The event channel that identifiers belong to: it goes with the last of them.
final class SharedEventChannel: @unchecked Sendable {
    // Never changed; the calls on it may come from any thread.
    let channel: EventChannel

    init(_ verbs: any Verbs) throws(SystemError) {
        channel = try EventChannel(verbs)
    }
}

/// The protection domain of a device, which goes with the last connection over it.
final class SharedDomain: @unchecked Sendable {
    // Never changed; the calls on it may come from any thread.
    let domain: ProtectionDomain
    let device: VerbsHandle

    init(_ verbs: any Verbs, device: VerbsHandle) throws(SystemError) {
        domain = try ProtectionDomain(verbs, device: device)
        self.device = device
    }
}

/// Why a connection's parts cannot be had.
enum PartsFailure: Error {
    /// A call failed.
    case system(SystemError)
    /// Memory of so many bytes cannot be registered.
    case memory(SystemError, byteCount: Int)

    /// Runs a call.
    static func wrapping<Value>(_ body: () throws(SystemError) -> Value) throws(PartsFailure) -> Value {
        do {
            return try body()
        } catch { throw .system(error) }
    }
}

/// What a connection is made of.
struct ConnectionParts: ~Copyable {
    let events: SharedEventChannel
    let domain: SharedDomain
    let identifier: ConnectionIdentifier
    let channel: CompletionChannel
    let completions: CompletionQueue
    let pair: QueuePair
    /// What is written from; the peer's ring mirrors it. Behind it is room for a handshake's message, as in the other.
    let outgoing: MemoryRegion
    /// What the peer writes to.
    let incoming: MemoryRegion

    static let messageRoom = 4096

    /// Makes them, with a queue pair that is initialized and has room for the ring's traffic.
    static func make(
        _ verbs: any Verbs, events: SharedEventChannel, domain: SharedDomain,
        identifier: consuming ConnectionIdentifier, shape: RingShape, path: PathSettings, inlineBytes: Int
    ) throws(PartsFailure) -> ConnectionParts {
        let identifier = identifier
        let byteCount = shape.byteCount + messageRoom
        let outgoing = try region(verbs, domain, byteCount: byteCount, .local)
        let incoming = try region(verbs, domain, byteCount: byteCount, .remoteWrite)
        let sizes = RDMAConnection.queueSizes(for: shape, inlineBytes: inlineBytes)
        do {
            let channel = try CompletionChannel(verbs, device: domain.device)
            let completions = try CompletionQueue(
                verbs, device: domain.device, entries: sizes.sends + sizes.receives, channel: channel.handle)
            let pair = try QueuePair(
                verbs, domain: domain.domain.handle, completions: completions.handle, sizes)
            _ = try verbs.advance(pair.handle, to: .initialized, for: identifier.handle, path)
            return ConnectionParts(
                events: events, domain: domain, identifier: identifier, channel: channel,
                completions: completions, pair: pair, outgoing: outgoing, incoming: incoming)
        } catch { throw .system(error) }
    }

    private static func region(
        _ verbs: any Verbs, _ domain: SharedDomain, byteCount: Int, _ access: MemoryAccess
    ) throws(PartsFailure) -> MemoryRegion {
        do {
            return try MemoryRegion(
                verbs, domain: domain.domain.handle, byteCount: byteCount, access)
        } catch { throw .memory(error, byteCount: byteCount) }
    }

    /// Lets go of everything, users before what they use.
    ///
    /// - Parameter landing: What the queue pair reads to, if anything.
    consuming func release(_ landing: consuming LandingPlace?) {
        letGo(pair)
        _ = consume landing
        letGo(completions)
        letGo(channel)
        letGo(incoming)
        letGo(outgoing)
        letGo(identifier)
    }
}

/// Ends the life of what is owned, here and now.
private func letGo<Resource: ~Copyable>(_ resource: consuming Resource) {}
