package import RingSystem

/// Every call that the RDMA transport makes into libibverbs and librdmacm, one method each.
///
/// The seam between the transport and the system: `SystemVerbs` makes the calls, a software device in
/// `RingTransportTesting` plays them in memory and can make any of them fail.
///
/// Contract for implementers:
/// - *Thread.* All calls may come from any thread. What is made with a handle must not go on once its owner destroys it.
/// - *Never blocking.* Nothing waits for a peer: what takes time ends with an event or a completion.
/// - *Errors.* A call that throws has made and changed nothing. Destroying cannot fail.
/// - *Order.* On a queue pair requests are carried out and complete in the order in which they were posted. A request that
///   is not signaled is over when a later signaled one has completed.
package protocol Verbs: AnyObject, Sendable {
    // MARK: Devices

    /// All devices, with their ports and the ports' GIDs.
    func devices() throws(SystemError) -> [VerbsDevice]
    /// A port of a device, without its GIDs.
    func port(_ number: UInt8, of device: VerbsHandle) throws(SystemError) -> VerbsPort
    /// A device's name: `mlx5_0`.
    func name(of device: VerbsHandle) -> String

    // MARK: Connections

    /// A channel for the events of connections.
    func createEventChannel() throws(SystemError) -> VerbsHandle
    func destroyEventChannel(_ channel: VerbsHandle)
    /// What to poll for reading until ``nextEvent(_:)`` has something.
    func descriptor(ofEventChannel channel: VerbsHandle) -> Int32
    /// The channel's next event, acknowledged; nil if there is none now.
    func nextEvent(_ channel: VerbsHandle) throws(SystemError) -> ConnectionEvent?

    /// An end of a connection that is to be made, or a listener. Its events carry `context`.
    func createIdentifier(_ channel: VerbsHandle, context: UInt64) throws(SystemError) -> VerbsHandle
    /// Ends the connection, if there is one, and forgets its events.
    func destroyIdentifier(_ identifier: VerbsHandle)
    /// Gives an identifier that came with a request its own context.
    func setContext(_ context: UInt64, of identifier: VerbsHandle)
    /// The device and port that the identifier is bound to, once an address has led to one.
    func binding(of identifier: VerbsHandle) -> (device: VerbsHandle, port: UInt8)?
    /// Its own address; nil before it is bound.
    func localAddress(of identifier: VerbsHandle) -> SocketAddress?
    func peerAddress(of identifier: VerbsHandle) -> SocketAddress?
    func setTrafficClass(_ trafficClass: UInt8, of identifier: VerbsHandle) throws(SystemError)
    func bind(_ identifier: VerbsHandle, to address: SocketAddress) throws(SystemError)
    func listen(_ identifier: VerbsHandle, backlog: Int32) throws(SystemError)
    /// Begins to find the device and the port that lead to an address; ends with an event.
    func resolveAddress(
        _ identifier: VerbsHandle, from source: SocketAddress?, to destination: SocketAddress,
        milliseconds: Int32
    ) throws(SystemError)
    /// Begins to find the route; ends with an event.
    func resolveRoute(_ identifier: VerbsHandle, milliseconds: Int32) throws(SystemError)
    /// Asks the peer for a connection; ends with an event.
    func connect(_ identifier: VerbsHandle, _ parameters: ConnectionParameters) throws(SystemError)
    func accept(_ identifier: VerbsHandle, _ parameters: ConnectionParameters) throws(SystemError)
    func reject(_ identifier: VerbsHandle, _ data: [UInt8]) throws(SystemError)
    /// Tells the peer that its answer has come.
    func establish(_ identifier: VerbsHandle) throws(SystemError)
    /// Ends the connection; both ends get an event.
    func disconnect(_ identifier: VerbsHandle) throws(SystemError)

    // MARK: Memory

    func createDomain(_ device: VerbsHandle) throws(SystemError) -> VerbsHandle
    func destroyDomain(_ domain: VerbsHandle)
    /// Makes memory known to the device. It must not be freed before ``deregisterMemory(_:)``.
    func registerMemory(
        _ domain: VerbsHandle, _ memory: UnsafeMutableRawBufferPointer, _ access: MemoryAccess
    ) throws(SystemError) -> RegisteredMemory
    func deregisterMemory(_ memory: VerbsHandle)

    // MARK: Completions

    func createCompletionChannel(_ device: VerbsHandle) throws(SystemError) -> VerbsHandle
    func destroyCompletionChannel(_ channel: VerbsHandle)
    /// What to poll for reading until ``takeCompletionEvent(_:)`` has something.
    func descriptor(ofCompletionChannel channel: VerbsHandle) -> Int32
    /// Takes an event; false if there is none now.
    func takeCompletionEvent(_ channel: VerbsHandle) throws(SystemError) -> Bool
    func createCompletionQueue(
        _ device: VerbsHandle, entries: Int32, channel: VerbsHandle
    ) throws(SystemError) -> VerbsHandle
    func destroyCompletionQueue(_ queue: VerbsHandle)
    /// Has the channel tell of the next completion that comes from now on, once; or, if `solicitedOnly`, of the next whose
    /// sender asked for it, or that is in error. Asking for all replaces asking for fewer.
    func requestNotification(_ queue: VerbsHandle, solicitedOnly: Bool) throws(SystemError)
    /// Takes at most 16 completions; how many.
    func poll(
        _ queue: VerbsHandle, into completions: UnsafeMutableBufferPointer<Completion>
    ) throws(SystemError) -> Int

    /// A completion's status by name.
    func text(ofStatus status: Int32) -> String

    // MARK: Queue pairs

    /// A reliable-connected queue pair whose requests complete in one queue.
    func createQueuePair(
        _ domain: VerbsHandle, completions: VerbsHandle, _ sizes: QueueSizes
    ) throws(SystemError) -> CreatedQueuePair
    func destroyQueuePair(_ pair: VerbsHandle)
    /// Takes a queue pair to its next state, as the identifier's connection has it. Returns what is agreed with the peer, as
    /// far as it is known then.
    func advance(
        _ pair: VerbsHandle, to state: QueuePairState, for identifier: VerbsHandle, _ path: PathSettings
    ) throws(SystemError) -> PathState
    /// Ends all requests of the pair, and those that are still posted: each completes in error.
    func fail(_ pair: VerbsHandle) throws(SystemError)
    /// Posts `count` receives with room for no bytes, or one with room for `room`.
    func postReceives(
        _ pair: VerbsHandle, count: Int32, room: (memory: UnsafeMutableRawBufferPointer, localKey: UInt32)?
    ) throws(SystemError)
    func postSend(_ pair: VerbsHandle, _ request: SendRequest) throws(SystemError)
}
