using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>Authorities that no system knows, such as a local host's own (<c>--https</c>), trusted beside those that this box's system trusts.</summary>
internal sealed class PrivateAuthority
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2Collection _roots = [];

    /// <param name="file">PEM with one or more certificates.</param>
    /// <exception cref="CryptographicException">It holds no certificate.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public PrivateAuthority(string file)
    {
        _roots.ImportFromPemFile(file);
        if (_roots.Count == 0)
            throw new CryptographicException("it holds no certificate");
    }

    /// <summary>What is wrong with the file, for people; null: nothing.</summary>
    public static string? FindError(string file)
    {
        try
        {
            _ = new PrivateAuthority(file);
            return null;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    public SslClientAuthenticationOptions SslOptions => new() { RemoteCertificateValidationCallback = IsTrusted };

    /// <summary>A certificate for another name is refused whoever has signed it.</summary>
    private bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 shown)
            return false;
        using X509Chain own = new();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_roots);
        own.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        // It publishes no list of what it has revoked.
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (X509ChainElement between in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            own.ChainPolicy.ExtraStore.Add(between.Certificate);
        return own.Build(shown);
    }
}
