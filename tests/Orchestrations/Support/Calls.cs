using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace OllamaMax.Orchestrations.Tests.Support;

/// <summary>What an assembly's code asks the world for that an orchestrator must not: clocks, chance, threads, input and output.</summary>
internal static class Calls
{
    private static readonly string[] Namespaces = ["System.IO", "System.Net", "System.Security.Cryptography", "Azure", "Microsoft.Extensions", "Microsoft.AspNetCore"];

    private static readonly string[] Types =
    [
        "System.Random", "System.Environment", "System.Console", "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.Diagnostics.Process",
        "System.Threading.Thread", "System.Threading.ThreadPool", "System.Threading.Timer", "System.Threading.PeriodicTimer",
        "System.Threading.Tasks.Parallel", "System.Threading.Tasks.TaskFactory", "System.Threading.SemaphoreSlim",
    ];

    private static readonly string[] Members =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today", "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid", "System.Guid.CreateVersion7", "System.Threading.Tasks.Task.Run", "System.Threading.Tasks.Task.Delay",
        "System.Threading.Tasks.Task.Wait", "System.Threading.Tasks.Task.ConfigureAwait", "System.Threading.Tasks.Task`1.ConfigureAwait",
        "System.Threading.Tasks.Task.ContinueWith", "System.Threading.CancellationTokenSource.CancelAfter",
    ];

    public static IReadOnlyList<string> Forbidden(string assembly)
    {
        using PEReader file = new(File.OpenRead(assembly));
        MetadataReader metadata = file.GetMetadataReader();
        IEnumerable<string> types = metadata.TypeReferences.Select(handle => NameOf(metadata, handle)).Where(IsForbiddenType);
        IEnumerable<string> members = metadata.MemberReferences.Select(handle => NameOf(metadata, metadata.GetMemberReference(handle))).Where(name => Members.Contains(name));
        return [.. types.Concat(members).Distinct().Order()];
    }

    private static bool IsForbiddenType(string name) =>
        Types.Contains(name) || Namespaces.Any(space => name.StartsWith(space + ".", StringComparison.Ordinal));

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }

    private static string NameOf(MetadataReader metadata, MemberReference member)
    {
        string owner = member.Parent.Kind switch
        {
            HandleKind.TypeReference => NameOf(metadata, (TypeReferenceHandle)member.Parent),
            // Of a generic type: the name stands in its signature, behind two bytes that say so.
            HandleKind.TypeSpecification => NameOf(metadata, metadata.GetTypeSpecification((TypeSpecificationHandle)member.Parent)),
            _ => "",
        };
        return $"{owner}.{metadata.GetString(member.Name)}";
    }

    private static string NameOf(MetadataReader metadata, TypeSpecification specification)
    {
        BlobReader signature = metadata.GetBlobReader(specification.Signature);
        if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
            return "";
        signature.ReadCompressedInteger();
        EntityHandle type = signature.ReadTypeHandle();
        return type.Kind == HandleKind.TypeReference ? NameOf(metadata, (TypeReferenceHandle)type) : "";
    }
}
