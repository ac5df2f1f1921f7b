/* Cases that are sentences, as TAP, and a broker that can be stopped between them. */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

class Cases {
    interface Case {
        void run() throws Exception;
    }

    static final long LIMIT_MS = 100_000;
    private final Map<String, Case> cases = new LinkedHashMap<>();
    private static final BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in));

    void add(String name, Case one) {
        cases.put(name, one);
    }

    /* Has the broker killed (crash) or stopped in order (restart), and started again. */
    static void broker(String order) throws Exception {
        System.out.println("broker " + order);
        equal(in.readLine(), "up");
    }

    static void equal(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    static void until(BooleanSupplier isTrue, Runnable step, Supplier<?> what) {
        long deadline = System.currentTimeMillis() + LIMIT_MS;
        while (!isTrue.getAsBoolean()) {
            if (System.currentTimeMillis() > deadline) {
                throw new AssertionError("not after " + LIMIT_MS + " ms: " + what.get());
            }
            step.run();
        }
    }

    /* The simple name of what a call throws, without the future's wrapper. */
    static String thrown(Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (ExecutionException wrapped) {
            return wrapped.getCause().getClass().getSimpleName();
        } catch (Exception thrown) {
            return thrown.getClass().getSimpleName();
        }
        return "nothing";
    }

    boolean run(List<String> words) {
        List<String> names = new ArrayList<>(cases.keySet());
        names.removeIf(name -> !words.isEmpty() && words.stream().noneMatch(name::contains));
        System.out.println("1.." + names.size());
        boolean good = true;
        for (int i = 0; i < names.size(); i++) {
            String outcome = "ok ";
            try {
                cases.get(names.get(i)).run();
            } catch (Throwable thrown) {
                outcome = "not ok ";
                good = false;
                for (Throwable one = thrown; one != null; one = one.getCause()) {
                    System.out.println("# " + one.toString().replace("\n", "\n# "));
                    Arrays.stream(one.getStackTrace()).limit(12)
                        .forEach(frame -> System.out.println("#   " + frame));
                }
            }
            System.out.println(outcome + (i + 1) + " - " + names.get(i));
        }
        return good;
    }
}
