using System.Globalization;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Limits;

/// <summary>
/// Lets requests for inferences in as far as the caller's limits go; says on every answer what is left, in OpenAI's headers
/// (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers), and refuses with a 429.
/// </summary>
internal sealed class LimitsMiddleware(RequestDelegate next, LimitBook limits, StoragePatience storage, OperatorNotices notices)
{
    public Task InvokeAsync(HttpContext context)
    {
        bool isInference = context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>() is { Permissions: var needed } && needed.HasFlag(Permissions.Infer);
        return isInference && RequestInfo.Of(context).Principal is { } principal ? LimitAsync(context, principal) : next(context);
    }

    private async Task LimitAsync(HttpContext context, Principal principal)
    {
        using AdmittedRequest? admitted = await storage.WaitAsync(token => limits.AdmitAsync(principal, token).AsTask(), context.RequestAborted);
        if (admitted is not null)
            Say(context.Response.Headers, admitted.Admission);
        if (admitted?.Admission.Refusal is { } refusal)
        {
            notices.Tell(NoticeTypes.Quota, principal.Credential ?? principal.Tenant, $"{principal.Name} of {principal.Tenant} was refused: {refusal.Limit}");
            await ErrorAnswer.WriteAsync(
                context, new ApiError(StatusCodes.Status429TooManyRequests, refusal.Message) { RetryAfter = refusal.RetryAfter });
        }
        else
        {
            await next(context);
        }
    }

    private static void Say(IHeaderDictionary headers, Admission admission)
    {
        Say(headers, "requests", admission.Requests);
        Say(headers, "tokens", admission.Tokens);
    }

    private static void Say(IHeaderDictionary headers, string what, Allowance? allowance)
    {
        if (allowance is null)
            return;
        headers[$"x-ratelimit-limit-{what}"] = allowance.Limit.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-remaining-{what}"] = allowance.Left.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-reset-{what}"] = string.Create(CultureInfo.InvariantCulture, $"{allowance.Reset.TotalSeconds:0.###}s");
    }
}
