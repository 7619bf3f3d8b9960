import RingSystem

/// Why a connection is of no use any more.
enum RDMAFailure: Error {
    /// The peer has ended it, after all its bytes.
    case ended
    /// This end has closed it.
    case closed
    /// A request of this end completed in error: its status by name.
    case completion(operation: String, status: String)
    /// A call failed.
    case system(SystemError)
    /// Memory of so many bytes, which is needed to receive, cannot be registered.
    case memory(SystemError, byteCount: Int)
    /// The peer has done what the protocol does not allow.
    case violation(String)
    /// The device has gone.
    case deviceRemoved
}
