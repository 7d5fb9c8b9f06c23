// Connection, from the first byte to the first ReadyForQuery.
#include <algorithm>
#include <utility>

#include "wire/connection.h"
#include "wire/protocol_writer.h"

namespace wandian::wire {
namespace {

constexpr char kTlsHandshake = 0x16;   // the content type of a ClientHello's record (RFC 8446, 5.1)

Status password_failed(const std::string& user) {
  return Status{sqlstate::invalid_password, "password authentication failed for user \"" + user + "\""};
}

}  // namespace

// One packet without a type byte; 0 if it is not whole yet.
std::size_t Connection::consume_startup(std::string_view input) {
  // A TLS record instead of a packet, as libpq 17 sends with sslnegotiation=direct.
  if (input.front() == kTlsHandshake && !ssl_asked_ && !gss_asked_ && !login_->peer.address.empty() && host_.start_tls(*this, input)) {
    ssl_asked_ = true;
    return input.size();
  }
  if (input.size() < 4) return 0;
  const std::uint32_t length = load_uint32(input.data());
  // The length counts itself and must leave room for the protocol number. It is refused before it is waited for or stored.
  if (length < 8 || length > kMaxStartupPacketBytes + 4) {
    log(Severity::kLog, "invalid length of startup packet");
    close();   // no reply: whoever speaks so is no PostgreSQL client
    return input.size();
  }
  if (input.size() < length) {
    needed_ = length;
    return 0;
  }
  const std::uint32_t code = load_uint32(input.data() + 4);
  const std::string_view body = input.substr(8, length - 8);
  if (code == kCancelRequestCode) {
    if (body.size() == 8)
      host_.cancel(static_cast<std::int32_t>(load_uint32(body.data())), load_uint32(body.data() + 4));
    else
      log(Severity::kLog, "invalid length of startup packet");
    close();
  } else if (code == kSslRequestCode && !ssl_asked_) {
    handle_ssl_request(input.size() > length);
  } else if (code == kGssEncRequestCode && !gss_asked_) {
    gss_asked_ = true;
    decline_encryption("GSSAPI encryption request", input.size() > length);
  } else {
    handle_startup(body, code);
  }
  return length;
}

// `more`: as below. Then there is no TLS either: what an attacker has put in front of it must not be taken for what is inside it.
void Connection::handle_ssl_request(bool more) {
  ssl_asked_ = true;
  if (more || login_->peer.address.empty() || !host_.start_tls(*this, {})) decline_encryption("SSL request", more);
}

// `more`: bytes came with the request. They were sent before the answer was known, so they may be somebody else's.
void Connection::decline_encryption(const char* what, bool more) {
  output_.buffer().push_back('N');
  if (more)
    fatal(Status{sqlstate::protocol_violation, std::string("received unencrypted data after ") + what}.with_detail(
        "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack."));
}

void Connection::handle_startup(std::string_view body, std::uint32_t protocol) {
  const std::uint32_t major = protocol >> 16;
  const std::uint32_t minor = protocol & 0xffff;
  if (major < 3) {
    // Such a client reads errors as protocol 2 had them: the text alone.
    output_.buffer().append("EFATAL:  unsupported frontend protocol " + std::to_string(major) + "." + std::to_string(minor) +
                            ": server supports 3.0 to 3.0\n");
    output_.buffer().push_back('\0');
    close();
    return;
  }
  if (major > 3) {
    fatal(Status{sqlstate::feature_not_supported, "unsupported frontend protocol " + std::to_string(major) + "." +
                                                      std::to_string(minor) + ": server supports 3.0 to 3.0"});
    return;
  }
  Result<StartupPacket> packet = parse_startup_packet(body);
  if (!packet.ok()) return fatal(packet.take_status());
  login_->packet = packet.take();
  if (minor > 0 || !login_->packet.unknown_protocol_options.empty())
    write_negotiate_protocol_version(output_.buffer(), kProtocolLatest, login_->packet.unknown_protocol_options);
  if (Status status = host_.admit(*this); !status.ok()) return fatal(std::move(status));
  admitted_ = true;
  if (login_->packet.replication)
    return fatal(Status{sqlstate::feature_not_supported, "replication connections are not supported"});
  begin_authentication(host_.authenticator().find_role(login_->packet.user));
}

void Connection::begin_authentication(const RoleLogin& role) {
  login_->role = role;
  login_->tls = host_.tls_info(*this, nullptr);
  if (host_.options().authentication == Authentication::kTrust) return login(role);
  std::optional<ScramVerifier> verifier;
  if (role.exists) verifier = parse_scram_verifier(role.verifier);
  // A role without a usable password and no role at all must look like any other.
  if (!verifier) verifier = mock_verifier(host_.options().mock_secret, login_->packet.user);
  char nonce[18];
  host_.entropy(nonce, sizeof nonce);
  std::string end_point;
  if (login_->tls != nullptr) (void)host_.tls_info(*this, &end_point);
  constexpr std::string_view kMechanisms{"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0", 34};
  write_authentication(output_.buffer(), AuthenticationCode::kSasl, end_point.empty() ? kMechanisms.substr(19) : kMechanisms);
  login_->scram.emplace(std::move(*verifier), std::string_view(nonce, sizeof nonce), std::move(end_point));
  phase_ = Phase::kSaslInitial;
}

// One message of a SASL exchange; 0 if it is not whole yet.
std::size_t Connection::consume_authentication(std::string_view input) {
  if (input.front() != 'p') {
    fatal(Status{sqlstate::protocol_violation,
                 "expected SASL response, got message type " + std::to_string(static_cast<unsigned char>(input.front()))});
    return input.size();
  }
  if (input.size() < 5) return 0;
  const std::uint32_t length = load_uint32(input.data() + 1);
  if (length < 4 || length > kMaxAuthenticationBytes + 4) {
    log(Severity::kLog, "invalid message length");
    close();
    return input.size();
  }
  if (input.size() < 1 + std::size_t{length}) {
    needed_ = 1 + std::size_t{length};
    return 0;
  }
  const std::string_view body = input.substr(5, length - 4);
  if (phase_ == Phase::kSaslInitial)
    handle_sasl_initial(body);
  else
    handle_sasl_response(body);
  return 1 + std::size_t{length};
}

void Connection::handle_sasl_initial(std::string_view body) {
  MessageReader reader(body);
  const std::string_view mechanism = reader.string();
  if (reader.ok() && !login_->scram->choose(mechanism))
    return fatal(Status{sqlstate::protocol_violation, "client selected an invalid SASL authentication mechanism"});
  const auto length = static_cast<std::int32_t>(reader.int32());
  // -1: the client waits for an empty challenge first
  const std::string_view message = length == -1 ? std::string_view{} : reader.bytes(static_cast<std::uint32_t>(length));
  if (!read_to_end(reader)) return;
  if (length == -1) {
    write_authentication(output_.buffer(), AuthenticationCode::kSaslContinue);
    return;
  }
  Result<std::string> challenge = login_->scram->first(message);
  if (!challenge.ok()) return fatal(challenge.take_status());
  write_authentication(output_.buffer(), AuthenticationCode::kSaslContinue, *challenge);
  phase_ = Phase::kSaslResponse;
}

void Connection::handle_sasl_response(std::string_view body) {
  Result<std::optional<std::string>> proof = login_->scram->last(body);
  if (!proof.ok()) return fatal(proof.take_status());
  if (!proof->has_value()) return fatal(password_failed(login_->packet.user));
  write_authentication(output_.buffer(), AuthenticationCode::kSaslFinal, **proof);
  login(login_->role);
}

void Connection::login(const RoleLogin& role) {
  const std::string& user = login_->packet.user;
  write_authentication(output_.buffer(), AuthenticationCode::kOk);
  if (!role.exists)
    return fatal(Status{sqlstate::invalid_authorization_specification, "role \"" + user + "\" does not exist"});
  if (!role.can_login)
    return fatal(Status{sqlstate::invalid_authorization_specification, "role \"" + user + "\" is not permitted to log in"});
  if (Status status = host_.admit_role(role.superuser); !status.ok()) return fatal(std::move(status));
  start_session();
}

void Connection::start_session() {
  if (!login_->packet.options_error.ok()) return fatal(std::move(login_->packet.options_error));
  identity_.process_id = host_.assign_process_id(*this);
  host_.entropy(&secret_, sizeof secret_);
  identity_.user = std::move(login_->packet.user);
  identity_.database = std::move(login_->packet.database);
  identity_.client_address = std::move(login_->peer.address);
  identity_.client_port = login_->peer.port;
  identity_.tls = std::move(login_->tls);
  identity_.settings = std::move(login_->packet.settings);
  login_.reset();
  in_call_ = true;
  Result<std::unique_ptr<sql::Session>> session = host_.open_session(*this, identity_);
  in_call_ = false;
  if (!session.ok()) return fatal(session.take_status());
  if (closing()) return;   // the session refused itself with a FATAL of its own
  session_ = session.take();
  write_backend_key_data(output_.buffer(), identity_.process_id, secret_);
  ready_for_query();
  phase_ = Phase::kReady;
  host_.handshake_done(*this);
}

}  // namespace wandian::wire
