//! STUN and TURN messages.
