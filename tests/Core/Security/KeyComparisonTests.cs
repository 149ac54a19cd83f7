using System.Reflection;
using System.Security.Cryptography;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

/// <summary>
/// Time tells nothing of a key: shown by what the compiled code can do, as what a naive comparison would save on 32 bytes is lost in the noise of any clock that a test has.
/// </summary>
public sealed class KeyComparisonTests
{
    private const byte Call = 0x28;
    private const byte CallVirtual = 0x6F;

    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>It is internal, so that nobody outside of this assembly gets it either.</summary>
    [Fact]
    public void Secret_OfAKey_IsReadToBeHashedOrShownAlone() =>
        CallersOf(typeof(ApiKey).GetProperty("Secret", All)!.GetMethod!).ShouldBe(["ApiKey.Reveal", "KeySecret.Matches", "KeySecret.Of"]);

    /// <summary>Both sides are HMACs of one length: what is compared says nothing of how far a guess is right.</summary>
    [Fact]
    public void Matches_ComparesHashesOfOneLengthInFixedTimeAndNothingElse()
    {
        MethodInfo matches = typeof(KeySecret).GetMethod(nameof(KeySecret.Matches))!;

        string[] called = [.. Calls(matches).Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Distinct()];

        called.ShouldContain($"{nameof(CryptographicOperations)}.{nameof(CryptographicOperations.FixedTimeEquals)}");
        called.ShouldContain("HMACSHA256.HashData");
        called.ShouldAllBe(name => !name.Contains("op_Equality") && !name.Contains("SequenceEqual") && !name.Contains("SequenceCompareTo") && !name.EndsWith(".Equals"));
        KeySecret.Of(ApiKey.Create()).Hash.Length.ShouldBe(HMACSHA256.HashSizeInBytes);
    }

    private static string[] CallersOf(MethodBase called) =>
    [
        .. typeof(ApiKey).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
            .Where(method => Calls(method).Contains(called))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}")
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>What the method's code calls. Looked for byte by byte: a constant that looks like a call names no method, or one that is not ours.</summary>
    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int i = 0; i + 5 <= code.Length; i++)
        {
            if (code[i] is Call or CallVirtual && Resolve(method, BitConverter.ToInt32(code, i + 1)) is { } called)
                yield return called;
        }
    }

    private static MethodBase? Resolve(MethodBase method, int token)
    {
        try
        {
            Type[]? ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
            Type[]? ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
            return method.Module.ResolveMethod(token, ofType, ofMethod);
        }
        catch (Exception e) when (e is ArgumentException or BadImageFormatException)
        {
            return null;
        }
    }
}
