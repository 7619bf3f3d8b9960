import CRingSystem

/// What this process may run on.
package enum Processors {
    /// How many processors the scheduler lets this process use.
    package static var available: Int { Int(ring_processors_available()) }
}
