using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace OllamaMax.LocalHost;

/// <summary>The certificate that the edge shows, with its key: a PEM file with both, certificates of the chain behind them, or a PFX file without password.</summary>
internal static class ServerCertificate
{
    /// <summary>What is wrong with the file, for people; null: nothing.</summary>
    public static string? FindError(string file)
    {
        try
        {
            using X509Certificate2 certificate = Load(file);
            return certificate.HasPrivateKey ? null : "it has no private key";
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    public static void Apply(string file, HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = Load(file);
        if (!IsPfx(file))
        {
            // The leaf is among them; whoever builds the chain takes what it needs.
            https.ServerCertificateChain = new X509Certificate2Collection();
            https.ServerCertificateChain.ImportFromPemFile(file);
        }
        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
    }

    private static X509Certificate2 Load(string file)
    {
        if (IsPfx(file))
            return X509CertificateLoader.LoadPkcs12FromFile(file, password: null);
        X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(file);
        if (!OperatingSystem.IsWindows())
            return certificate;
        // There TLS takes no key that lives in memory alone, as a PEM file's does.
        using (certificate)
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), password: null);
    }

    private static bool IsPfx(string file) => Path.GetExtension(file) is ".pfx" or ".p12";
}
