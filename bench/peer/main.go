// Command peer plans the benchmark's files with Karpenter's own scheduler, used as a library over an empty
// in-memory cluster, and prints what it took and what the machines would cost. Nodes in the files are left out.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	fakecr "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/go-logr/logr"
	kwok "sigs.k8s.io/karpenter/kwok/cloudprovider"
	kwokoptions "sigs.k8s.io/karpenter/kwok/options"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/fake"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/events"
	"sigs.k8s.io/karpenter/pkg/operator/injection"
	"sigs.k8s.io/karpenter/pkg/operator/options"
	"sigs.k8s.io/karpenter/pkg/test"
)

type world struct {
	pools   []*v1.NodePool
	pods    []*corev1.Pod
	daemons []*corev1.Pod
}

func (w *world) addPod(pod *corev1.Pod) {
	pod.UID = types.UID(fmt.Sprintf("%s/%s", pod.Namespace, pod.Name))
	pod.Status.Phase = corev1.PodPending
	w.pods = append(w.pods, pod)
}

func (w *world) add(raw json.RawMessage) error {
	var kind metav1.TypeMeta
	if err := json.Unmarshal(raw, &kind); err != nil {
		return err
	}
	switch kind.Kind {
	case "NodePool":
		pool := &v1.NodePool{}
		if err := json.Unmarshal(raw, pool); err != nil {
			return err
		}
		pool.UID = types.UID(pool.Name)
		w.pools = append(w.pools, pool)
	case "Deployment":
		var deployment appsv1.Deployment
		if err := json.Unmarshal(raw, &deployment); err != nil {
			return err
		}
		for i := range int(*deployment.Spec.Replicas) {
			template := deployment.Spec.Template.DeepCopy()
			pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
			pod.Namespace = deployment.Namespace
			pod.Name = fmt.Sprintf("%s-%d", deployment.Name, i)
			w.addPod(pod)
		}
	case "DaemonSet":
		var daemon appsv1.DaemonSet
		if err := json.Unmarshal(raw, &daemon); err != nil {
			return err
		}
		w.daemons = append(w.daemons, &corev1.Pod{ObjectMeta: daemon.Spec.Template.ObjectMeta, Spec: daemon.Spec.Template.Spec})
	case "Pod":
		pod := &corev1.Pod{}
		if err := json.Unmarshal(raw, pod); err != nil {
			return err
		}
		if pod.Spec.NodeName == "" {
			w.addPod(pod)
		}
	}
	return nil
}

func read(path string) (*world, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	out := &world{}
	for _, item := range list.Items {
		if err := out.add(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// The price a launch would pay: of the types left to a claim, the cheapest offering that its requirements allow.
func price(claim *scheduling.NodeClaim) float64 {
	cheapest := claim.InstanceTypeOptions.OrderByPrice(claim.Requirements)[0]
	return cheapest.Offerings.Available().Compatible(claim.Requirements).Cheapest().Price
}

func run(file, typesFile, preferences string) error {
	w, err := read(file)
	if err != nil {
		return err
	}
	log.SetLogger(logr.Discard())
	ctx := options.ToContext(injection.WithControllerName(context.Background(), "provisioner"), test.Options())
	ctx = kwokoptions.ToContext(ctx, &kwokoptions.Options{InstanceTypesFilePath: typesFile})
	instanceTypes, err := kwok.ConstructInstanceTypes(ctx)
	if err != nil {
		return err
	}
	byPool := map[string][]*cloudprovider.InstanceType{}
	for _, pool := range w.pools {
		byPool[pool.Name] = instanceTypes
	}
	var opts []scheduling.Options
	opts = append(opts, scheduling.NumConcurrentReconciles(5))
	if preferences == "Ignore" {
		opts = append(opts, scheduling.IgnorePreferences)
	}
	provider := fake.NewCloudProvider()
	provider.InstanceTypes = instanceTypes
	client := fakecr.NewFakeClient()
	clk := &clock.RealClock{}
	cluster := state.NewCluster(clk, client, provider)

	start := time.Now()
	topology, err := scheduling.NewTopology(ctx, client, cluster, nil, w.pools, byPool, w.pods, opts...)
	if err != nil {
		return err
	}
	scheduler := scheduling.NewScheduler(ctx, client, w.pools, cluster, nil, topology, byPool, w.daemons,
		events.NewRecorder(&record.FakeRecorder{}), clk, nil, nil, opts...)
	results, err := scheduler.Solve(ctx, w.pods)
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	total := 0.0
	for _, claim := range results.NewNodeClaims {
		total += price(claim)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"seconds": seconds, "nodes": len(results.NewNodeClaims), "pricePerHour": total,
		"unschedulable": len(results.PodErrors),
	})
}

func main() {
	file := flag.String("f", "", "manifests: a JSON List")
	typesFile := flag.String("instance-types", "", "instance types, in the form of the KWOK provider")
	preferences := flag.String("preference-policy", "Respect", "Respect or Ignore")
	flag.Parse()
	if err := run(*file, *typesFile, *preferences); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}
