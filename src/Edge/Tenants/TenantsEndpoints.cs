using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Tenants;

/// <summary>
/// <c>GET /tenants/{tenant}/export</c> and <c>DELETE /tenants/{tenant}/data</c>: all that is kept of a tenant. Whoever may read and delete each job of the own tenant may do so
/// with all at once; with another tenant's only who gives out keys. Both are acts for the audit log.
/// </summary>
internal sealed class TenantsEndpoints(TenantExport export, TenantErasure erasure) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission own = new(Permissions.OwnJobs) { IsAct = true };
        endpoints.MapGet("/tenants/{tenant}/export", ExportAsync).WithMetadata(own)
            .Describe(Said("All that is kept of a tenant, a line for each thing; the last line is of the kind end.") with { ContentType = "application/x-ndjson" });
        endpoints.MapDelete("/tenants/{tenant}/data", EraseAsync).WithMetadata(own)
            .Describe(Said("Ends a tenant's background jobs, strategies and batches, and deletes all that is kept of them, its responses and its files.") with
            {
                Query = [("usage", "true: what it has used, too; for who manages keys.")],
                AnswerType = TenantsJson.Default.ErasedAnswer,
            });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Own, summary);

    private async Task ExportAsync(HttpContext context)
    {
        if (await FindAsync(context) is { } tenant)
            await export.WriteAsync(context, tenant);
    }

    private async Task EraseAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } tenant)
            return;
        QueryFields fields = new(context);
        bool usage = fields.Flag("usage");
        if (fields.Error is { } error)
            await ErrorAnswer.WriteAsync(context, error);
        // What was used is the operator's account.
        else if (usage && !RequestInfo.CallerOf(context).May(Permissions.ManageKeys))
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status403Forbidden, "what a tenant has used is deleted by who manages keys only"));
        else
            await JsonAnswer.WriteAsync(context, await erasure.EraseAsync(context, tenant, usage), TenantsJson.Default.ErasedAnswer);
    }

    /// <summary>The tenant of the path; null where the answer, a 404, has been written: nobody learns which others there are.</summary>
    private static async Task<string?> FindAsync(HttpContext context)
    {
        string tenant = (string)context.GetRouteValue("tenant")!;
        Principal caller = RequestInfo.CallerOf(context);
        if (tenant == caller.Tenant || caller.May(Permissions.ManageKeys))
            return tenant;
        await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status404NotFound, "no such tenant"));
        return null;
    }
}
