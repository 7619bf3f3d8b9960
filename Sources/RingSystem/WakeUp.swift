import CRingSystem

/// A descriptor that any thread can make readable to wake another one out of `poll`.
package final class WakeUp: Sendable {
    private let event: FileDescriptor

    /// Makes one, unset.
    package init() throws(SystemError) {
        event = FileDescriptor(owning: try SystemCall.check("eventfd") { ring_event_create() })
    }

    /// What to poll for reading.
    package var descriptor: Int32 { event.number }

    /// Makes the descriptor readable until the next ``reset()``.
    package func set() {
        // The only failure of a write to a non-blocking event is a full counter: it is readable then.
        ring_event_set(event.number)
    }

    /// Makes the descriptor unreadable again; whatever was set before is thereby taken note of.
    package func reset() {
        ring_event_reset(event.number)
    }
}
