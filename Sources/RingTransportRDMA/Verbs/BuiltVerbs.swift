/// What this build has of RDMA.
package enum BuiltVerbs {
    /// The system's RDMA libraries; nil where the package was built without its trait `RDMA`.
    package static var system: (any Verbs)? {
        #if RDMA
            SystemVerbs()
        #else
            nil
        #endif
    }
}
