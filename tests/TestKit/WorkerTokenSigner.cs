using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.Workers;

namespace OllamaMax.TestKit;

/// <summary>Makes the tokens by which a worker is known.</summary>
public static class WorkerTokenSigner
{
    public static string Sign(ECDsa key, string workerId, TimeSpan? lifetime = null)
    {
        DateTime now = TimeProvider.System.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Subject = new ClaimsIdentity([new Claim(JwtRegisteredClaimNames.Sub, workerId)]),
            Audience = WorkerTokens.Audience,
            Expires = now + (lifetime ?? WorkerTokens.Lifetime),
            SigningCredentials = new(new ECDsaSecurityKey(key) { CryptoProviderFactory = new() { CacheSignatureProviders = false } }, SecurityAlgorithms.EcdsaSha256),
        });
    }
}
