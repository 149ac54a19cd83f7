using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OllamaMax.Security;

namespace OllamaMax.LocalHost;

/// <summary>
/// A certificate authority of a data folder's own, and the certificate that it gives the edge: <c>ca.pem</c> is what clients elsewhere are to trust, <c>server.pem</c> what the edge shows, each
/// private key beside it or in it for its owner alone. The authority is made once, for whoever trusts it; the edge's certificate anew when its time is nearly over or this machine has got another name.
/// </summary>
internal sealed class LocalAuthority(string folder, TimeProvider time)
{
    private static readonly TimeSpan OfAuthority = TimeSpan.FromDays(3650);

    /// <summary>Some clients take none that lasts longer.</summary>
    private static readonly TimeSpan OfServer = TimeSpan.FromDays(397);

    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Clocks that are behind.</summary>
    private static readonly TimeSpan Before = TimeSpan.FromHours(1);

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private string ServerFile => Path.Combine(folder, "server.pem");

    private string AuthorityFile => Path.Combine(folder, "ca.pem");

    private string AuthorityKeyFile => Path.Combine(folder, "ca.key");

    /// <param name="listen">Where the edge is to be found; all addresses: at each that this machine has now.</param>
    public IssuedCertificate Issue(IPAddress listen)
    {
        using X509Certificate2 authority = OpenOrCreate();
        (string[] hosts, IPAddress[] addresses) = NamesOf(listen);
        if (!IsGood(authority, hosts, addresses))
            WriteServer(authority, hosts, addresses);
        return new(ServerFile, AuthorityFile, authority.GetCertHashString(HashAlgorithmName.SHA256));
    }

    private X509Certificate2 OpenOrCreate()
    {
        if (File.Exists(AuthorityFile) && File.Exists(AuthorityKeyFile))
        {
            X509Certificate2 there = X509Certificate2.CreateFromPemFile(AuthorityFile, AuthorityKeyFile);
            if (there.NotAfter.ToUniversalTime() > time.GetUtcNow() + RenewBefore)
                return there;
            there.Dispose();
        }
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN=OllamaMax on {Dns.GetHostName()}", key, HashAlgorithmName.SHA256);
        // It signs servers' certificates and no other authority's.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        X509Certificate2 made = request.CreateSelfSigned(time.GetUtcNow() - Before, time.GetUtcNow() + OfAuthority);
        // The key first: a certificate without one would be taken for whole by nobody.
        SecretFile.Write(AuthorityKeyFile, key.ExportPkcs8PrivateKeyPem());
        SecretFile.Write(AuthorityFile, made.ExportCertificatePem());
        return made;
    }

    private bool IsGood(X509Certificate2 authority, string[] hosts, IPAddress[] addresses)
    {
        if (!File.Exists(ServerFile) || TryOpenServer() is not { } server)
            return false;
        using X509Certificate2 opened = server;
        return server.NotAfter.ToUniversalTime() > time.GetUtcNow() + RenewBefore
            && server.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().SingleOrDefault()?.KeyIdentifier is { } issuer
            && issuer.Span.SequenceEqual(IdentifierOf(authority).SubjectKeyIdentifierBytes.Span)
            && server.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault() is { } names
            && !hosts.Except(names.EnumerateDnsNames(), StringComparer.OrdinalIgnoreCase).Any()
            && !addresses.Except(names.EnumerateIPAddresses()).Any();
    }

    /// <summary>Null where it is damaged: it is made anew, as nobody trusts it by itself.</summary>
    private X509Certificate2? TryOpenServer()
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(ServerFile);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static X509SubjectKeyIdentifierExtension IdentifierOf(X509Certificate2 authority) =>
        authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().SingleOrDefault() ?? throw new CryptographicException("ca.pem is no certificate of ours");

    private void WriteServer(X509Certificate2 authority, string[] hosts, IPAddress[] addresses)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={hosts[^1]}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        foreach (string host in hosts)
            names.AddDnsName(host);
        foreach (IPAddress address in addresses)
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(ServerAuthentication)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        DateTimeOffset end = time.GetUtcNow() + OfServer;
        DateTimeOffset last = authority.NotAfter.ToUniversalTime();
        using X509Certificate2 made = request.Create(authority, time.GetUtcNow() - Before, end < last ? end : last, RandomNumberGenerator.GetBytes(16));
        SecretFile.Write(ServerFile, $"{made.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    private static (string[] Hosts, IPAddress[] Addresses) NamesOf(IPAddress listen)
    {
        bool isAny = listen.Equals(IPAddress.Any) || listen.Equals(IPAddress.IPv6Any);
        IEnumerable<IPAddress> open = !isAny
            ? [listen]
            : NetworkInterface.GetAllNetworkInterfaces()
                .Where(network => network.OperationalStatus == OperationalStatus.Up)
                .SelectMany(network => network.GetIPProperties().UnicastAddresses)
                .Select(unicast => new IPAddress(unicast.Address.GetAddressBytes()));
        return (["localhost", Dns.GetHostName()], [.. open.Prepend(IPAddress.IPv6Loopback).Prepend(IPAddress.Loopback).Distinct()]);
    }
}

/// <param name="File">Certificate and key, for the edge.</param>
/// <param name="AuthorityFile">What clients are to trust.</param>
/// <param name="Fingerprint">SHA-256 of the authority's certificate, in hex: to be compared where the file has come another way.</param>
internal sealed record IssuedCertificate(string File, string AuthorityFile, string Fingerprint);
