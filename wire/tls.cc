#include "wire/tls.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "storage/base/assert.h"

namespace wandian::wire {
namespace {

constexpr std::string_view kProtocol("\x0apostgresql", 11);   // as ALPN lists it

std::string library_error() {
  const unsigned long code = ::ERR_get_error();
  if (code == 0) return "no SSL error reported";
  const char* reason = ::ERR_reason_error_string(code);
  return reason != nullptr ? reason : "SSL error code " + std::to_string(code);
}

Status refused(std::string message) { return Status{sqlstate::config_file_error, std::move(message)}; }

// --- the socket as OpenSSL sees it

int transport_read(BIO* bio, char* into, std::size_t room, std::size_t* got) {
  auto& transport = *static_cast<TlsChannel::Transport*>(::BIO_get_data(bio));
  ::BIO_clear_retry_flags(bio);
  if (!transport.received.empty()) {
    *got = std::min(room, transport.received.size());
    std::memcpy(into, transport.received.data(), *got);
    transport.received.erase(0, *got);
    if (transport.received.empty()) transport.received.shrink_to_fit();
    return 1;
  }
  const ssize_t bytes = ::recv(transport.fd, into, room, 0);
  transport.drained = bytes < 0 || static_cast<std::size_t>(bytes) < room;
  if (bytes > 0) {
    *got = static_cast<std::size_t>(bytes);
    return 1;
  }
  *got = 0;
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) ::BIO_set_retry_read(bio);
  return 0;
}

int transport_write(BIO* bio, const char* from, std::size_t size, std::size_t* taken) {
  auto& transport = *static_cast<TlsChannel::Transport*>(::BIO_get_data(bio));
  ::BIO_clear_retry_flags(bio);
  const ssize_t bytes = ::send(transport.fd, from, size, MSG_NOSIGNAL);
  if (bytes >= 0) {
    *taken = static_cast<std::size_t>(bytes);
    return 1;
  }
  *taken = 0;
  if (errno == EAGAIN || errno == EINTR) ::BIO_set_retry_write(bio);
  return 0;
}

long transport_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* transport_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = ::BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client socket");
    DB_ASSERT(made != nullptr);
    ::BIO_meth_set_read_ex(made, transport_read);
    ::BIO_meth_set_write_ex(made, transport_write);
    ::BIO_meth_set_ctrl(made, transport_control);
    return made;
  }();
  return method;
}

// --- rules

// A client that names protocols must name ours: who meant another server is not to be answered.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned size, void*) {
  unsigned char* found = nullptr;
  const int result = ::SSL_select_next_proto(&found, length, reinterpret_cast<const unsigned char*>(kProtocol.data()),
                                             static_cast<unsigned>(kProtocol.size()), offered, size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int version_number(std::string_view name) {
  if (name == "TLSv1") return TLS1_VERSION;
  if (name == "TLSv1.1") return TLS1_1_VERSION;
  if (name == "TLSv1.2") return TLS1_2_VERSION;
  if (name == "TLSv1.3") return TLS1_3_VERSION;
  return 0;
}

// The key is for the server's eyes: of its own user without others, or of root with its group.
Status check_key_file(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return refused("could not access private key file \"" + path + "\": " + std::strerror(errno));
  if (!S_ISREG(file.st_mode)) return refused("private key file \"" + path + "\" is not a regular file");
  if (file.st_uid != ::geteuid() && file.st_uid != 0)
    return refused("private key file \"" + path + "\" must be owned by the database user or root");
  if ((file.st_uid == ::geteuid() && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0) ||
      (file.st_uid == 0 && (file.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0))
    return refused("private key file \"" + path + "\" has group or world access")
        .with_detail("File must have permissions u=rw (0600) or less if owned by the database user, or permissions u=rw,g=r (0640) or less "
                     "if owned by root.");
  return {};
}

Status set_versions(SSL_CTX* context, const TlsOptions& options) {
  const int lowest = version_number(options.minimum_version), highest = version_number(options.maximum_version);
  if (lowest != 0 && highest != 0 && lowest > highest)
    return refused("could not set SSL protocol version range")
        .with_detail("\"ssl_min_protocol_version\" cannot be higher than \"ssl_max_protocol_version\"");
  if (lowest != 0 && ::SSL_CTX_set_min_proto_version(context, lowest) != 1) return refused("could not set minimum SSL protocol version");
  if (highest != 0 && ::SSL_CTX_set_max_proto_version(context, highest) != 1) return refused("could not set maximum SSL protocol version");
  return {};
}

Status load_client_authorities(SSL_CTX* context, const TlsOptions& options) {
  if (!options.ca_file.empty()) {
    STACK_OF(X509_NAME)* names = ::SSL_load_client_CA_file(options.ca_file.c_str());
    if (::SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1 || names == nullptr)
      return refused("could not load root certificate file \"" + options.ca_file + "\": " + library_error());
    ::SSL_CTX_set_client_CA_list(context, names);
    // A client may come without a certificate; one that it shows must be good.
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
  }
  if (options.crl_file.empty() && options.crl_directory.empty()) return {};
  X509_STORE* store = ::SSL_CTX_get_cert_store(context);
  const auto name = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
  if (::X509_STORE_load_locations(store, name(options.crl_file), name(options.crl_directory)) != 1)
    return refused("could not load SSL certificate revocation list \"" + (options.crl_file.empty() ? options.crl_directory : options.crl_file) +
                   "\": " + library_error());
  ::X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

Status load_dh_parameters(SSL_CTX* context, const std::string& path) {
  if (path.empty()) {
    ::SSL_CTX_set_dh_auto(context, 1);
    return {};
  }
  BIO* file = ::BIO_new_file(path.c_str(), "r");
  EVP_PKEY* parameters = file != nullptr ? ::PEM_read_bio_Parameters(file, nullptr) : nullptr;
  ::BIO_free(file);
  if (parameters == nullptr) return refused("could not load DH parameters file \"" + path + "\": " + library_error());
  if (::SSL_CTX_set0_tmp_dh_pkey(context, parameters) != 1) {
    ::EVP_PKEY_free(parameters);
    return refused("DH: could not set DH parameters: " + library_error());
  }
  return {};
}

// The digest of the certificate's signature, but nothing weaker than SHA-256.
std::string certificate_hash(X509* certificate) {
  int digest = NID_undef;
  ::X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr);
  if (digest == NID_md5 || digest == NID_sha1 || digest == NID_undef) digest = NID_sha256;
  const EVP_MD* method = ::EVP_get_digestbynid(digest);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (method == nullptr || ::X509_digest(certificate, method, hash, &size) != 1) return {};
  return std::string(reinterpret_cast<const char*>(hash), size);
}

// "/C=DE/CN=store": one component after the other, as PostgreSQL shows a distinguished name.
std::string distinguished_name(const X509_NAME* name) {
  BIO* out = ::BIO_new(::BIO_s_mem());
  if (out == nullptr) return {};
  for (int i = 0; i < ::X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = ::X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* object = ::X509_NAME_ENTRY_get_object(entry);
    const int number = ::OBJ_obj2nid(object);
    const char* label = number == NID_undef ? nullptr : ::OBJ_nid2sn(number);
    ::BIO_printf(out, "/%s=", label != nullptr ? label : "UNDEF");
    ::ASN1_STRING_print_ex(out, ::X509_NAME_ENTRY_get_data(entry),
                           (ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) | ASN1_STRFLGS_UTF8_CONVERT);
  }
  char* text = nullptr;
  const long size = ::BIO_get_mem_data(out, &text);
  std::string result(text, static_cast<std::size_t>(size));
  ::BIO_free(out);
  return result;
}

std::string serial_number(const X509* certificate) {
  BIGNUM* number = ::ASN1_INTEGER_to_BN(::X509_get0_serialNumber(certificate), nullptr);
  char* digits = number != nullptr ? ::BN_bn2dec(number) : nullptr;
  std::string text = digits != nullptr ? digits : "";
  ::OPENSSL_free(digits);
  ::BN_free(number);
  return text;
}

}  // namespace

// --- TlsContext

TlsContext::~TlsContext() { ::SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::create(const TlsOptions& options) {
  ::ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext);
  SSL_CTX* context = made->context_ = ::SSL_CTX_new(::TLS_server_method());
  if (context == nullptr) return refused("could not create SSL context: " + library_error());
  if (::SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return refused("could not load server certificate file \"" + options.certificate_file + "\": " + library_error());
  WANDIAN_TRY(check_key_file(options.key_file));
  // A key with a passphrase would ask for it at the terminal: refused instead.
  ::SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (::SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return refused("could not load private key file \"" + options.key_file + "\": " + library_error());
  if (::SSL_CTX_check_private_key(context) != 1) return refused("check of private key failed: " + library_error());
  WANDIAN_TRY(set_versions(context, options));
  if (::SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1)
    return refused("could not set the cipher list (no valid ciphers available)");
  if (!options.ecdh_curve.empty() && ::SSL_CTX_set1_groups_list(context, options.ecdh_curve.c_str()) != 1)
    return refused("ECDH: unrecognized curve name: " + options.ecdh_curve);
  WANDIAN_TRY(load_dh_parameters(context, options.dh_params_file));
  WANDIAN_TRY(load_client_authorities(context, options));
  ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_SINGLE_DH_USE |
                                     SSL_OP_SINGLE_ECDH_USE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (options.prefer_server_ciphers) ::SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_num_tickets(context, 0);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // An idle connection keeps no buffers; a record is read with one system call.
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ::SSL_CTX_set_read_ahead(context, 1);
  ::SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  made->end_point_ = certificate_hash(::SSL_CTX_get0_certificate(context));
  return std::shared_ptr<const TlsContext>(std::move(made));
}

// --- TlsChannel

TlsChannel::TlsChannel(std::shared_ptr<const TlsContext> context, int fd, std::string_view received, bool direct)
    : context_(std::move(context)), direct_(direct) {
  transport_.fd = fd;
  transport_.received = received;
  ssl_ = ::SSL_new(context_->native());
  BIO* bio = ::BIO_new(transport_method());
  if (ssl_ == nullptr || bio == nullptr) {
    ::BIO_free(bio);
    failed_ = true;
    error_ = "could not initialize SSL connection";
    return;
  }
  ::BIO_set_data(bio, &transport_);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(ssl_, bio, bio);
  ::SSL_set_accept_state(ssl_);
}

TlsChannel::~TlsChannel() { ::SSL_free(ssl_); }

bool TlsChannel::established() const { return !failed_ && ::SSL_is_init_finished(ssl_) == 1; }

TlsChannel::Outcome TlsChannel::judge(int result) {
  switch (::SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE: return Outcome::kDone;
    case SSL_ERROR_WANT_READ: return Outcome::kWantsRead;
    case SSL_ERROR_WANT_WRITE: return Outcome::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN: return Outcome::kClosed;
    case SSL_ERROR_SYSCALL:
      error_ = established() ? "connection lost" : "EOF detected";
      failed_ = true;
      return Outcome::kFailed;
    default:
      error_ = library_error();
      failed_ = true;
      return Outcome::kFailed;
  }
}

TlsChannel::Outcome TlsChannel::read(char* into, std::size_t room, std::size_t* got) {
  if (failed_) return Outcome::kFailed;
  ::ERR_clear_error();
  if (!established()) {
    const int result = ::SSL_accept(ssl_);
    if (result != 1) return judge(result);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(ssl_, &protocol, &size);
    if (direct_ && size == 0) {
      failed_ = true;
      error_ = "received direct SSL connection request without ALPN protocol negotiation extension";
      return Outcome::kFailed;
    }
  }
  const int result = ::SSL_read_ex(ssl_, into, room, got);
  return result == 1 ? Outcome::kDone : judge(result);
}

bool TlsChannel::may_have_more() const { return !transport_.drained || ::SSL_has_pending(ssl_) == 1; }

TlsChannel::Outcome TlsChannel::write(const char* data, std::size_t size, std::size_t* taken) {
  if (failed_) return Outcome::kFailed;
  ::ERR_clear_error();
  const int result = ::SSL_write_ex(ssl_, data, size, taken);
  return result == 1 ? Outcome::kDone : judge(result);
}

void TlsChannel::shutdown() {
  if (!established()) return;
  ::ERR_clear_error();
  ::SSL_shutdown(ssl_);
  ::ERR_clear_error();
}

sql::TlsInfo TlsChannel::info() const {
  sql::TlsInfo info;
  info.version = ::SSL_get_version(ssl_);
  info.cipher = ::SSL_get_cipher_name(ssl_);
  info.bits = ::SSL_get_cipher_bits(ssl_, nullptr);
  if (X509* peer = ::SSL_get0_peer_certificate(ssl_); peer != nullptr) {
    info.client_dn = distinguished_name(::X509_get_subject_name(peer));
    info.client_serial = serial_number(peer);
    info.issuer_dn = distinguished_name(::X509_get_issuer_name(peer));
  }
  return info;
}

}  // namespace wandian::wire
