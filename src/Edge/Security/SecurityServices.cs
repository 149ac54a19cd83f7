using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Audit;
using OllamaMax.Edge.Security.Cors;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Edge.Security.Limits;
using OllamaMax.Edge.Security.Oidc;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Storage.Queues;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security;

internal static class SecurityServices
{
    /// <summary>Keys, tokens, limits, usage, the audit log, pages from elsewhere, and what operators are told. Needs the storage account.</summary>
    public static IServiceCollection AddSecurity(this IServiceCollection services)
    {
        services.AddOptions<KeyOptions>().BindConfiguration(KeyOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<CorsOptions>().BindConfiguration(CorsOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<KeyStore>();
        services.AddSingleton<KeyCache>();
        services.AddSingleton<KeyUse>();
        services.AddSingleton<ICredentialCheck, KeyCheck>();
        services.AddSingleton<IEndpointGroup, KeysEndpoints>();
        services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<AuditBlobs>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IEndpointGroup, AuditEndpoints>();
        services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<NoticeQueue>();
        services.AddSingleton<NoticeOutbox>();
        services.AddSingleton<OperatorNotices>();
        services.AddOptions<UsageOptions>().BindConfiguration(UsageOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<UseStore>();
        services.AddSingleton<LimitBook>();
        services.AddSingleton<UsageStore>();
        services.AddSingleton<UsageBook>();
        services.AddSingleton<UsageMeter>();
        services.AddSingleton<IEndpointGroup, UsageEndpoints>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditLog>());
        services.AddHostedService(provider => provider.GetRequiredService<OperatorNotices>());
        services.AddHostedService(provider => provider.GetRequiredService<LimitBook>());
        services.AddHostedService(provider => provider.GetRequiredService<UsageBook>());
        return services.AddTokens();
    }

    /// <summary>Tokens of an OpenID Connect issuer, where one is configured.</summary>
    public static IServiceCollection AddTokens(this IServiceCollection services)
    {
        services.AddOptions<OidcOptions>().BindConfiguration(OidcOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IssuerKeys>();
        services.AddSingleton<CredentialNames>();
        services.AddSingleton<ICredentialCheck, TokenCheck>();
        return services;
    }
}
